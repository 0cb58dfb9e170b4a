import type { SegmentStatus, Store } from "@agent-audit/store";

export interface SegmentJson {
  /** UTC receive day. */
  day: string;
  /** Of a day with more records than one segment takes; left out for the first. */
  part?: number;
  state: SegmentStatus["state"];
  rows: number;
  bytes: number;
  /** While it is made from the journal, or catches up with it: records that it lacked, and how many are there. */
  progress?: { records: number; total_records: number; records_per_second: number };
}

/** Makes the answer of `GET /status`. */
export async function statusJson(store: Store, version: string) {
  const status = await store.status();
  return {
    version,
    store_id: status.storeId,
    journal_seq: Number(status.journalSeq),
    applied_seq: Number(status.appliedSeq),
    segments: status.segments.map(segmentJson),
    journal_bytes: status.journalBytes,
    disk_free_bytes: status.diskFreeBytes,
    uptime_seconds: Math.floor(process.uptime()),
  };
}

function segmentJson({ day, part, state, rows, bytes, progress }: SegmentStatus): SegmentJson {
  const named = part === 0 ? { day } : { day, part };
  if (progress === null) return { ...named, state, rows, bytes };
  const { records, totalRecords, recordsPerSecond } = progress;
  return {
    ...named,
    state,
    rows,
    bytes,
    progress: {
      records,
      total_records: totalRecords,
      records_per_second: recordsPerSecond,
    },
  };
}
