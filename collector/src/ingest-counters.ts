import type { FaultCode } from "./admit.js";

/** Upper bounds of the sync histogram, seconds; a last bucket takes what is longer. */
export const SYNC_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

/** Counts since the start. */
export interface IngestCounters {
  /** Sound records that arrived, duplicates included. */
  received: number;
  /** Records that were written and synced. */
  stored: number;
  duplicates: number;
  /** Stored records whose id another record with other content has. */
  conflicts: number;
  /** Stored records of which a value was out of range or ill-formed, and was replaced. */
  repaired: number;
  /** Records, or whole bodies, that were set aside, by reason. */
  quarantined: Record<FaultCode, number>;
  /** Bodies as they arrived, and after decompression; journal frames. Bytes. */
  receivedBytes: number;
  decodedBytes: number;
  journalBytes: number;
  syncs: number;
  syncSeconds: number;
  /** Syncs by duration, see {@link SYNC_BUCKETS_SECONDS}; not cumulated. */
  syncBuckets: number[];
}

export function zeroCounters(): IngestCounters {
  return {
    received: 0,
    stored: 0,
    duplicates: 0,
    conflicts: 0,
    repaired: 0,
    quarantined: {
      malformed_record: 0,
      nesting_too_deep: 0,
      foreign_claim: 0,
      reserved_event: 0,
      server_fault: 0,
    },
    receivedBytes: 0,
    decodedBytes: 0,
    journalBytes: 0,
    syncs: 0,
    syncSeconds: 0,
    syncBuckets: new Array(SYNC_BUCKETS_SECONDS.length + 1).fill(0),
  };
}

/** Counts one sync. */
export function countSync(counters: IngestCounters, seconds: number): void {
  counters.syncs++;
  counters.syncSeconds += seconds;
  const at = SYNC_BUCKETS_SECONDS.findIndex((bound) => seconds <= bound);
  const bucket = at < 0 ? SYNC_BUCKETS_SECONDS.length : at;
  counters.syncBuckets[bucket] = (counters.syncBuckets[bucket] as number) + 1;
}
