import type { Snapshot } from "@agent-audit/store";
import { SqlBuilder } from "./sql.js";

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
  const sql = new SqlBuilder();
  const where = `received_time >= ${sql.time(now - WINDOW_NANOS)} AND stream_id IS NOT NULL`;
  const columns = ["org_id", "stream_id", "received_time", "stream_end"];
  const source = sql.from(snapshot, columns, where);
  const [row] = await snapshot.query({
    sql: `SELECT count(*) FROM (SELECT 1 FROM ${source} GROUP BY org_id, stream_id HAVING NOT coalesce(bool_or(stream_end), false) AND max(received_time) < ${sql.time(now - SILENT_NANOS)})`,
    values: sql.values,
  });
  return Number(row?.[0] ?? 0);
}
