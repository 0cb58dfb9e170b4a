import type { Command } from "commander";

/** Adds the options that name a data directory. */
export function withDataOptions(command: Command): Command {
  return command
    .option("--config <file>", "configuration file (default: agent-audit.yaml, if there is one)")
    .option("--data <dir>", "data directory (default: ./agent-audit-data)");
}

/** Adds the options that override the configuration file. */
export function withServerOptions(command: Command): Command {
  return withDataOptions(command)
    .option("--otlp <host:port>", "OTLP listener (default: 127.0.0.1:4318)")
    .option("--http <host:port>", "query API (default: 127.0.0.1:8318)");
}
