import type { Command } from "commander";
import type { ServerOptions } from "../server-config.js";

interface DemoOptions extends ServerOptions {
  once?: boolean;
}

export function addDemo(program: Command): void {
  program
    .command("demo")
    .description("start a server, let a real agent act, and print its trail")
    .option("--data <dir>", "data directory (default: ./agent-audit-data)")
    .option("--otlp <host:port>", "OTLP listener (default: 127.0.0.1:4318, or a free port)")
    .option("--http <host:port>", "query API (default: 127.0.0.1:8318, or a free port)")
    .option("--once", "stop the server at the end")
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import("../demo/run-demo.js");
      await runDemo(options);
    });
}
