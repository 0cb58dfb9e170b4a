import type { DuckDBConnection } from "@duckdb/node-api";
import type { ColumnName } from "./columns.js";

/** Length of the times that sums are kept of, ns: every clock's hours are made of whole quarters. */
export const QUARTER_NANOS = 900_000_000_000n;

/** What is told apart within a quarter of an hour. Few values each: hundreds of agents or projects would make a second copy. */
export const SUMS_DIMENSIONS = [
  "source",
  "actor_type",
  "result",
  "action_type",
  "resource_type",
  "decision",
  "phase",
  "org_id",
  "response_model",
  "request_model",
  "provider",
  "currency",
] as const satisfies readonly ColumnName[];

/** What is added up, under the names of the columns that it comes from. */
export const SUMMED_COLUMNS = [
  "duration_ns",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "bytes",
  "cost_nano",
] as const satisfies readonly ColumnName[];

/** What the sums have beside {@link SUMS_DIMENSIONS} and {@link SUMMED_COLUMNS}. */
export const SUMS_EXTRAS = [
  "min_time",
  "max_time",
  "row_count",
  "priced_count",
  "unpriced_count",
] as const;

/** An LLM call without a price: reported apart, never as zero. */
export const IS_UNPRICED_SQL =
  "cost_nano IS NULL AND (source = 'llm-proxy' OR input_tokens IS NOT NULL)";

/** As many sums cost little in any case: a row group of them. */
const CHEAP_SUMS = 122_880;
/** More of them are kept only if each stands for that many rows. */
const MIN_ROWS_A_SUM = 4;

/**
 * Adds up a segment's rows: `time`, the start of their quarter of an hour, {@link SUMS_DIMENSIONS}, sums, and the counts
 * `row_count`, `priced_count` and `unpriced_count`.
 */
function sumsOfRows(alias: string): string {
  // Of BIGINTs DuckDB knows which sums cannot overflow: those are added up twice as fast.
  const sums = SUMMED_COLUMNS.map((column) => `sum(${column})::BIGINT AS ${column}`).join(", ");
  return `
SELECT time - time % ${QUARTER_NANOS}::UBIGINT AS time, min(time) AS min_time, max(time) AS max_time, ${SUMS_DIMENSIONS.join(", ")},
  count(*) AS row_count, count(cost_nano) AS priced_count, count(*) FILTER (${IS_UNPRICED_SQL}) AS unpriced_count, ${sums}
FROM ${alias}.events GROUP BY time - time % ${QUARTER_NANOS}::UBIGINT, ${SUMS_DIMENSIONS.join(", ")}`;
}

/**
 * Writes the `sums` table of a segment that gets no more rows, unless it would not be much smaller than they are, or they
 * hold numbers that have no sum.
 */
export async function writeSums(connection: DuckDBConnection, alias: string): Promise<void> {
  try {
    await connection.run(`CREATE OR REPLACE TABLE ${alias}.sums AS ${sumsOfRows(alias)}`);
  } catch (error) {
    // Beyond 63 bits, or of too many combinations: senders can make up both, and must not keep a segment from being sealed.
    if (!/^(Conversion|Out of Memory) Error/.test((error as Error).message)) throw error;
    await connection.run(`DROP TABLE IF EXISTS ${alias}.sums`);
    return;
  }
  const result = await connection.runAndReadAll(
    `SELECT count(*) > ${CHEAP_SUMS} AND count(*) * ${MIN_ROWS_A_SUM} > sum(row_count) FROM ${alias}.sums`,
  );
  if (result.getRows()[0]?.[0] === true) await connection.run(`DROP TABLE ${alias}.sums`);
}

/** Whether a segment has sums: those sealed by earlier versions have none. */
export async function hasSums(connection: DuckDBConnection, alias: string): Promise<boolean> {
  try {
    await connection.run(`FROM ${alias}.sums LIMIT 0`);
    return true;
  } catch (error) {
    // A hundred times as fast as asking which tables there are.
    if ((error as Error).message.startsWith("Catalog Error")) return false;
    throw error;
  }
}

/** Counts the sums that its rows do not give, and those that are missing. */
export async function countWrongSums(connection: DuckDBConnection, alias: string): Promise<bigint> {
  const result = await connection.runAndReadAll(
    `WITH kept AS (FROM ${alias}.sums), made AS (${sumsOfRows(alias)})
SELECT count(*) FROM ((FROM kept EXCEPT ALL FROM made) UNION ALL (FROM made EXCEPT ALL FROM kept))`,
  );
  return result.getRows()[0]?.[0] as bigint;
}
