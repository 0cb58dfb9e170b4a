import type { Auditor } from "@agent-audit/instrumentation";
import { auditorOptions, type IdentityOptions } from "./identity-options.js";

/** Runs something with an auditor, sends what it recorded, and ends with its exit code. */
export async function runAudited(
  options: IdentityOptions,
  run: (auditor: Auditor) => Promise<number>,
): Promise<never> {
  const { createAuditor } = await import("@agent-audit/instrumentation");
  const auditor = createAuditor(auditorOptions(options));
  const exitCode = await run(auditor);
  await auditor.shutdown();
  process.exit(exitCode);
}
