import type { Store } from "@agent-audit/store";

/** Makes the answer of `GET /status`. */
export async function statusJson(store: Store, version: string) {
  const status = await store.status();
  return {
    version,
    store_id: status.storeId,
    journal_seq: Number(status.journalSeq),
    applied_seq: Number(status.appliedSeq),
    segments: status.segments,
    journal_bytes: status.journalBytes,
    disk_free_bytes: status.diskFreeBytes,
    uptime_seconds: Math.floor(process.uptime()),
  };
}
