import type { Snapshot } from "@agent-audit/store";
import { silentStreamsSql } from "./sql/events-sql.js";

/** Streams that were last heard before that are over, however they ended. */
const WINDOW_NANOS = 86_400_000_000_000n;
/** Three heartbeats, of which emitters send one a minute. */
const SILENT_NANOS = 180_000_000_000n;

/**
 * Counts the emitters' streams that have sent within a day, have not said that they end, and were not heard for
 * three minutes.
 *
 * @param now ns since 1970 UTC
 */
export async function silentStreams(snapshot: Snapshot, now: bigint): Promise<number> {
  const { tables } = snapshot;
  const [row] = await snapshot.query(
    silentStreamsSql(tables, now - WINDOW_NANOS, now - SILENT_NANOS),
  );
  return Number(row?.[0] ?? 0);
}
