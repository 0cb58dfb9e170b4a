import { logRecordJson, readLogsRequest, resourceJson, scopeJson } from "@agent-audit/otlp";
import { JournalReader } from "../journal/journal-reader.js";

/** Carries one record as it was received: OTLP/JSON texts, `null` for an absent resource or scope. */
export interface RawRecord {
  logRecord: string;
  resource: string | null;
  scope: string | null;
}

/** Reads the record of a sequence from the journal. */
export function readRawRecord(
  journalDirectory: string,
  seq: bigint,
  syncedSeq: bigint,
): RawRecord | null {
  if (seq < 1n || seq > syncedSeq) return null;
  const reader = new JournalReader(journalDirectory, seq);
  try {
    const found = reader.next(syncedSeq);
    if (found === null) return null;
    let at = found.frame.firstSeq;
    for (const { resource, scopeLogs } of readLogsRequest(found.frame.payload).resourceLogs) {
      for (const { scope, logRecords } of scopeLogs) {
        const record = logRecords[Number(seq - at)];
        if (record !== undefined && seq >= at) {
          return {
            logRecord: logRecordJson(record),
            resource: resource && resourceJson(resource),
            scope: scope && scopeJson(scope),
          };
        }
        at += BigInt(logRecords.length);
      }
    }
    return null;
  } finally {
    reader.close();
  }
}
