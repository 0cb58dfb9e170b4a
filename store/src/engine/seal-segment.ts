import type { DuckDBConnection } from "@duckdb/node-api";
import type { SealedSegment } from "../catalog-log.js";
import { countWithout, type SeqRange } from "../seq-range.js";
import { isDamage } from "./damage.js";
import type { Segment } from "./segment.js";
import { writeSums } from "./segment-sums.js";

/** A segment that does not hold what its journal has. */
export class SealMismatchError extends Error {}

/**
 * Checks an ended segment against its journal's range and writes its `streams` and `sums` tables.
 *
 * @param absent what may be missing from the journal
 * @returns what the catalog keeps of it
 * @throws SealMismatchError when a row is missing, or one too many
 */
export async function prepareSeal(
  connection: DuckDBConnection,
  segment: Segment,
  absent: readonly SeqRange[],
): Promise<SealedSegment> {
  const { alias, firstSeq, setAside, position } = segment;
  const lastSeq = segment.lastSeq as bigint;
  const result = await connection.runAndReadAll(
    `SELECT count(*), count(DISTINCT seq), coalesce(min(seq), ${lastSeq}), coalesce(max(seq), ${firstSeq}) FROM ${alias}.events`,
  );
  const [rows, distinct, least, greatest] = result.getRows()[0] as [bigint, bigint, bigint, bigint];
  const expected = countWithout({ firstSeq, lastSeq }, absent) - BigInt(setAside.size);
  if (rows !== expected || distinct !== rows || least < firstSeq || greatest > lastSeq) {
    throw new SealMismatchError(
      `it holds ${rows} rows of sequences ${least} to ${greatest}; the journal has ${expected} of ${firstSeq} to ${lastSeq}`,
    );
  }
  await connection.run(streamsTable(alias));
  await writeSums(connection, alias);
  await connection.run(`CHECKPOINT ${alias}`).catch((error: Error) => {
    // Put off while a query reads an older state: the last step, when nobody reads, does it again.
    if (isDamage(error) || !/checkpoint/i.test(error.message)) throw error;
  });
  return {
    event: "sealed",
    segment: segment.id,
    first_seq: firstSeq,
    last_seq: lastSeq,
    rows,
    min_time: position.minTime,
    max_time: position.maxTime,
  };
}

/**
 * What each emitter's stream sent into the segment: what is missing between its first and last number here, when it
 * was last heard, and whether it said that it ends.
 */
function streamsTable(alias: string): string {
  return `
CREATE OR REPLACE TABLE ${alias}.streams AS
WITH heard AS (
  SELECT org_id, stream_id, arg_max(agent_id, seq) AS agent_id, arg_max(agent_name, seq) AS agent_name,
    max(received_time) AS last_received_time, coalesce(bool_or(stream_end), false) AS is_ended
  FROM ${alias}.events WHERE stream_id IS NOT NULL GROUP BY ALL
), numbered AS (
  SELECT org_id, stream_id, stream_sequence, lead(stream_sequence) OVER (PARTITION BY org_id, stream_id ORDER BY stream_sequence) AS following
  FROM (SELECT DISTINCT org_id, stream_id, stream_sequence FROM ${alias}.events
    WHERE stream_id IS NOT NULL AND stream_sequence IS NOT NULL)
), ranges AS (
  SELECT org_id, stream_id, min(stream_sequence) AS first_sequence, max(stream_sequence) AS last_sequence, count(*) AS received,
    coalesce(list([stream_sequence + 1, following - 1] ORDER BY stream_sequence) FILTER (WHERE following > stream_sequence + 1), []) AS missing
  FROM numbered GROUP BY ALL
)
SELECT heard.*, first_sequence, last_sequence, coalesce(received, 0) AS received, coalesce(missing, []) AS missing
FROM heard LEFT JOIN ranges ON heard.stream_id = ranges.stream_id AND heard.org_id IS NOT DISTINCT FROM ranges.org_id`;
}
