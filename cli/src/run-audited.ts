import { setTimeout as sleep } from "node:timers/promises";
import type { Auditor } from "@agent-audit/instrumentation";
import { auditorOptions, type IdentityOptions } from "./identity-options.js";

/** What was run has ended; whoever waits for it should not wait long for its audit. */
const SHUTDOWN_MILLIS = 5_000;

/** Runs something with an auditor, sends what it recorded, and ends with its exit code. */
export async function runAudited(
  options: IdentityOptions,
  run: (auditor: Auditor) => Promise<number>,
): Promise<never> {
  const { createAuditor } = await import("@agent-audit/instrumentation");
  const auditor = createAuditor(auditorOptions(options));
  const exitCode = await run(auditor);
  await Promise.race([auditor.shutdown(), sleep(SHUTDOWN_MILLIS).then(warn)]);
  process.exit(exitCode);
}

function warn(): void {
  process.stderr.write(
    "agent-audit: no collector took the last events in time; they may be lost\n",
  );
}
