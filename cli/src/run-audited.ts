import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Auditor } from "@agent-audit/instrumentation";
import { capturesContent } from "./content-option.js";
import { troubleOfError, troubleOfWarning } from "./export-trouble.js";
import { auditorOptions, type IdentityOptions } from "./identity-options.js";

/** What was run has ended; whoever waits for it should not wait long for its audit. */
const SHUTDOWN_MILLIS = 5_000;

/** Runs something with an auditor, sends what it recorded, and ends with its exit code. */
export async function runAudited(
  options: IdentityOptions,
  run: (auditor: Auditor, content: { capturesContent: boolean }) => Promise<number>,
): Promise<never> {
  const { createAuditor } = await import("@agent-audit/instrumentation");
  const { diag, DiagLogLevel } = await import("@opentelemetry/api");
  let trouble: string | null = null;
  const note = (message: string | null) => {
    trouble ??= message;
  };
  const quiet = () => {};
  const logger = {
    error: (message: string) => note(troubleOfError(message)),
    warn: (message: string, detail: unknown) => note(troubleOfWarning(message, detail)),
    info: quiet,
    debug: quiet,
    verbose: quiet,
  };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const auditor = createAuditor(auditorOptions(options));
  const exitCode = await run(auditor, { capturesContent: capturesContent(options.content) });
  const late = sleep(SHUTDOWN_MILLIS).then(() => note("no collector took the last events in time"));
  await Promise.race([auditor.shutdown(), late]);
  const { invalid } = auditor.counters;
  if (invalid > 0) note(`${invalid} events could not be made; is an option of identity wrong?`);
  if (trouble !== null) process.stderr.write(`agent-audit: events may be lost: ${trouble}\n`);
  // What was passed on may still wait for a slow reader.
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(exitCode);
}

async function written(stream: Writable): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<unknown>((resolve) => {
    stream.once("close", resolve);
    stream.write("", resolve);
  });
}
