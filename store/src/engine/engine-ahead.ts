import { AuditError } from "@agent-audit/schema";

/** Says that acknowledged events, which the engine knows of, are missing from the journal. */
export function engineAhead(what: string): AuditError {
  return new AuditError(
    "engine_ahead",
    what,
    "restore the journal, all of its files, or go on without these events with --accept-journal-loss",
  );
}
