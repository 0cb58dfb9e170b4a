import { AuditError } from "@agent-audit/schema";
import type { Command } from "commander";
import { EXIT_TRY_AGAIN, exitCodeFor } from "../exit-codes.js";
import type { RunningServer } from "../server.js";
import type { ServerOptions } from "../server-config.js";
import { withServerOptions } from "../server-options.js";

/** How long a stop may take before the process ends anyway; what is acknowledged is on disk long before. */
const STOP_MILLIS = 10_000;

/** The same for a server that cannot go on. */
const FATAL_STOP_MILLIS = 5_000;

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
  let server: RunningServer | null = null;
  let isFailing = false;
  const onFatal = (error: Error) => {
    isFailing = true;
    const code = error instanceof AuditError ? exitCodeFor(error) : EXIT_TRY_AGAIN;
    const what = code === EXIT_TRY_AGAIN ? "; its next start recovers" : "";
    const hint = error instanceof AuditError && what === "" ? { hint: error.hint } : {};
    log.fatal({ error: error.message, ...hint }, `the server cannot go on${what}`);
    // What still works is closed: an end in the middle of a call into DuckDB would be an abort, with another exit code.
    const end = () => process.exit(code);
    setTimeout(end, FATAL_STOP_MILLIS);
    if (server === null) end();
    else server.stop().then(end, end);
  };
  const { config } = loadServerConfig(options);
  const starting = startServer(config, { log, onFatal }, options.acceptJournalLoss);
  let isStopping = false;
  const stop = async () => {
    if (isStopping) process.exit(130);
    isStopping = true;
    setTimeout(() => process.exit(1), STOP_MILLIS).unref();
    // One that is just starting stops when it has; why it cannot is told below.
    const started = await starting.catch(() => null);
    if (started === null) return;
    await started.stop();
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const started = await starting;
  server = started;
  process.stdout.write(`OTLP  ${started.otlpUrl}/v1/logs\n`);
  await started.queriesReady.catch((error) => {
    // It ends with the code for that, once it is closed.
    if (!isFailing && !isStopping) throw error;
    return new Promise(() => {});
  });
  process.stdout.write(`API   ${started.apiUrl}/\n`);
}
