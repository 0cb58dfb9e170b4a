import { AuditError } from "@agent-audit/schema";

/** Says that frames which had been synced cannot be read. */
export function journalCorrupt(place: string, reason: string): AuditError {
  return new AuditError(
    "journal_corrupt",
    `the journal cannot be read (${place}): ${reason}`,
    "restore the journal from a backup or another server",
  );
}
