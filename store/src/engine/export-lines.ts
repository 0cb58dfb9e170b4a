import { type LogsRequest, readLogsRequest, writeLogsRequestJson } from "@agent-audit/otlp";
import { JournalReader } from "../journal/journal-reader.js";

/** Carries a slice of the journal as lines of OTLP/JSON. */
export interface ExportSlice {
  /** One ExportLogsServiceRequest a line, each ended by a newline. */
  lines: string;
  /** Last sequence that the slice holds; the next one follows it. */
  lastSeq: bigint;
}

/**
 * Writes stored requests as they were received, records after `afterSeq` up to `uptoSeq`, until the slice
 * holds `maxRecords`.
 */
export function exportLines(
  journalDirectory: string,
  afterSeq: bigint,
  uptoSeq: bigint,
  maxRecords: number,
): ExportSlice {
  const reader = new JournalReader(journalDirectory, afterSeq + 1n);
  const slice: ExportSlice = { lines: "", lastSeq: afterSeq };
  try {
    let records = 0;
    while (records < maxRecords) {
      const next = reader.next(uptoSeq);
      if (next === null) break;
      const { firstSeq, recordCount, payload } = next.frame;
      const request = readLogsRequest(payload);
      const skipped = afterSeq >= firstSeq ? Number(afterSeq - firstSeq + 1n) : 0;
      if (skipped > 0) dropFirst(request, skipped);
      slice.lines += `${writeLogsRequestJson(request)}\n`;
      slice.lastSeq = firstSeq + BigInt(recordCount) - 1n;
      records += recordCount;
    }
    return slice;
  } finally {
    reader.close();
  }
}

function dropFirst(request: LogsRequest, count: number): void {
  let rest = count;
  for (const { scopeLogs } of request.resourceLogs) {
    for (const group of scopeLogs) {
      const dropped = group.logRecords.splice(0, rest).length;
      rest -= dropped;
    }
  }
}
