import { AuditError } from "@agent-audit/schema";

/** Acknowledged events that the engine knows of are missing from the journal. */
export function engineAhead(what: string): AuditError {
  return new AuditError(
    "engine_ahead",
    `${what}: acknowledged events are missing from the journal`,
    "restore the newest journal files, or go on without these events with --accept-journal-loss",
  );
}
