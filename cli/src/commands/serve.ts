import type { Command } from "commander";
import { EXIT_TRY_AGAIN } from "../exit-codes.js";
import type { ServerOptions } from "../server-config.js";
import { withServerOptions } from "../server-options.js";

/** How long a stop may take before the process ends anyway; what is acknowledged is on disk long before. */
const STOP_MILLIS = 10_000;

/** Lets the 503 answers of the open requests out before the process ends. */
const FATAL_GRACE_MILLIS = 100;

export function addServe(program: Command): void {
  withServerOptions(
    program.command("serve").description("run collector and query API in one process"),
  )
    .option(
      "--accept-journal-loss",
      "go on although the journal lacks events that were acknowledged: the loss is recorded as an event",
    )
    .action(serve);
}

async function serve(options: ServerOptions & { acceptJournalLoss?: boolean }): Promise<void> {
  const { loadServerConfig } = await import("../server-config.js");
  const { createServerLog } = await import("../server-log.js");
  const { startServer } = await import("../server.js");
  const log = createServerLog();
  const onFatal = (error: Error) => {
    log.fatal({ error: error.message }, "the server cannot go on; its next start recovers");
    setTimeout(() => process.exit(EXIT_TRY_AGAIN), FATAL_GRACE_MILLIS);
  };
  const { config } = loadServerConfig(options);
  const server = await startServer(config, { log, onFatal }, options.acceptJournalLoss);
  let isStopping = false;
  const stop = async () => {
    if (isStopping) process.exit(130);
    isStopping = true;
    setTimeout(() => process.exit(1), STOP_MILLIS).unref();
    await server.stop();
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.stdout.write(`OTLP  ${server.otlpUrl}/v1/logs\n`);
  await server.queriesReady;
  process.stdout.write(`API   ${server.apiUrl}/\n`);
}
