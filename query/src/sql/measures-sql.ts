import type { ColumnName } from "@agent-audit/store";
import type { GroupOrder } from "../request.js";

/** Columns that the measures read. */
export const MEASURE_COLUMNS = [
  "result",
  "duration_ns",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "bytes",
  "cost_nano",
  "currency",
  "source",
] as const satisfies readonly ColumnName[];

/** An LLM call without a price: reported apart, never as zero. */
const IS_UNPRICED = "cost_nano IS NULL AND (source = 'llm-proxy' OR input_tokens IS NOT NULL)";

/**
 * Sums of events in the order of `SumsTally`, under the names s0, s1 and so on. Numbers, as JSON has them, exact up to 2^53: a
 * bigint costs ten times as much from thread to thread. Counting what has a result is cheaper than counting successes.
 */
const SUMS = [
  "count(*)",
  "count(result)",
  "countif(result = 'failure')",
  "countif(result = 'error')",
  "sum(input_tokens)",
  "sum(output_tokens)",
  "sum(cache_read_tokens)",
  "sum(cache_write_tokens)",
  "sum(bytes)",
];
export const SUMS_CELLS = SUMS.length;
export const SUMS_SQL = SUMS.map((sum, i) => `coalesce(${sum}, 0)::DOUBLE AS s${i}`).join(", ");

/** Adds up rows of {@link SUMS_SQL}. */
export const SUMS_OF_SUMS_SQL = SUMS.map((_, i) => `sum(s${i})`).join(", ");

/** What each currency cost, in the order of `CostTally.add`; a row without a price has a currency of NULL or of its own. */
export const COST_SQL = `coalesce(sum(cost_nano), 0) AS c0, countif(${IS_UNPRICED}) AS c1, count(cost_nano) AS c2`;

/** Adds up rows of {@link COST_SQL}. */
export const SUMS_OF_COST_SQL = "sum(c0), sum(c1)::BIGINT, sum(c2)::BIGINT";

/** Of events that have a duration: average, two quantiles, maximum, in ns. */
export const DURATIONS_SQL =
  "avg(duration_ns), quantile_cont(duration_ns, 0.5), quantile_cont(duration_ns, 0.95), max(duration_ns)";

/** What groups are ordered by; sums of it are exact, too. */
export const GROUP_ORDER_SQL: Readonly<Record<GroupOrder, string>> = {
  count: "count(*)",
  failure_count: "countif(result = 'failure')",
  error_count: "countif(result = 'error')",
  duration: "coalesce(sum(duration_ns), 0)",
  input_tokens: "coalesce(sum(input_tokens), 0)",
  output_tokens: "coalesce(sum(output_tokens), 0)",
  cost: "coalesce(sum(cost_nano), 0)",
  bytes: "coalesce(sum(bytes), 0)",
};
