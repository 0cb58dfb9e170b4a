import { type ColumnName, IS_UNPRICED_SQL, SUMMED_COLUMNS } from "@agent-audit/store";
import type { Piece } from "../pieces.js";
import type { GroupOrder } from "../request.js";

type Kind = Piece["kind"];

/** How a measure is taken of rows, and of sums of rows. */
type Measure = Readonly<Record<Kind, string>>;

/** Columns that the measures read. */
export const MEASURE_COLUMNS: Readonly<Record<Kind, readonly string[]>> = {
  rows: [...SUMMED_COLUMNS, "result", "currency", "source"],
  sums: [...SUMMED_COLUMNS, "result", "currency", "row_count", "priced_count", "unpriced_count"],
};

const COUNT: Measure = { rows: "count(*)", sums: "sum(row_count)" };
// Counting what has a result is cheaper than counting successes.
const RESULTS: Measure = {
  rows: "count(result)",
  sums: "sum(row_count) FILTER (result IS NOT NULL)",
};
const FAILURES = ofResult("failure");
const ERRORS = ofResult("error");

function ofResult(result: string): Measure {
  return {
    rows: `countif(result = '${result}')`,
    sums: `sum(row_count) FILTER (result = '${result}')`,
  };
}

function sumOf(column: ColumnName): Measure {
  return { rows: `sum(${column})`, sums: `sum(${column})` };
}

/** In the order of `SumsTally`. */
const SUMS: readonly Measure[] = [
  COUNT,
  RESULTS,
  FAILURES,
  ERRORS,
  sumOf("input_tokens"),
  sumOf("output_tokens"),
  sumOf("cache_read_tokens"),
  sumOf("cache_write_tokens"),
  sumOf("bytes"),
];
export const SUMS_CELLS = SUMS.length;

/**
 * Sums of events under the names s0, s1 and so on. Numbers, as JSON has them, exact up to 2^53: a bigint costs ten times as
 * much from thread to thread.
 */
export function sumsSql(kind: Kind): string {
  return SUMS.map((sum, i) => `coalesce(${sum[kind]}, 0)::DOUBLE AS s${i}`).join(", ");
}

/** Adds up rows of {@link sumsSql}. */
export const SUMS_OF_SUMS_SQL = SUMS.map((_, i) => `sum(s${i})`).join(", ");

/**
 * In the order of `CostTally.add`; a row without a price has a currency of NULL or of its own. Whole units and billionths
 * apart: each is a number that is exact, where all billionths would take a bigint.
 */
const COST: readonly Measure[] = [
  { rows: "sum(cost_nano) // 1000000000", sums: "sum(cost_nano) // 1000000000" },
  { rows: "sum(cost_nano) % 1000000000", sums: "sum(cost_nano) % 1000000000" },
  { rows: `countif(${IS_UNPRICED_SQL})`, sums: "sum(unpriced_count)" },
  { rows: "count(cost_nano)", sums: "sum(priced_count)" },
];

/** What each currency cost, under the names c0, c1 and so on. */
export function costSql(kind: Kind): string {
  return COST.map((cost, i) => `coalesce(${cost[kind]}, 0)::DOUBLE AS c${i}`).join(", ");
}

/** Adds up rows of {@link costSql}. */
export const SUMS_OF_COST_SQL = COST.map((_, i) => `sum(c${i})`).join(", ");

/** Of events that have a duration: average, two quantiles, maximum, in ns. */
export const DURATIONS_SQL =
  "avg(duration_ns), quantile_cont(duration_ns, 0.5), quantile_cont(duration_ns, 0.95), max(duration_ns)";

const GROUP_ORDERS: Readonly<Record<GroupOrder, Measure>> = {
  count: COUNT,
  failure_count: FAILURES,
  error_count: ERRORS,
  duration: sumOf("duration_ns"),
  input_tokens: sumOf("input_tokens"),
  output_tokens: sumOf("output_tokens"),
  cost: sumOf("cost_nano"),
  bytes: sumOf("bytes"),
};

/** What groups are ordered by, as `size`; sums of it are exact, too. */
export function sizeSql(kind: Kind, orderBy: GroupOrder): string {
  return `coalesce(${GROUP_ORDERS[orderBy][kind]}, 0) AS size`;
}

/** How many events there are, as `n`. */
export function countSql(kind: Kind): string {
  return `${COUNT[kind]} AS n`;
}
