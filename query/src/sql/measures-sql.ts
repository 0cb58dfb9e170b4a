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

/** Sums of events, each a cell of a row, in the order of `sumsOf`; all are exact integers. */
export const SUMS_SQL = [
  "count(*)",
  "count(*) FILTER (result = 'success')",
  "count(*) FILTER (result = 'failure')",
  "count(*) FILTER (result = 'error')",
  "coalesce(sum(input_tokens), 0)",
  "coalesce(sum(output_tokens), 0)",
  "coalesce(sum(cache_read_tokens), 0)",
  "coalesce(sum(cache_write_tokens), 0)",
  "coalesce(sum(bytes), 0)",
].join(", ");

/** What each currency cost, in the order of `CostTally.add`; a row without a price has a currency of NULL or of its own. */
export const COST_SQL = `coalesce(sum(cost_nano), 0), count(*) FILTER (${IS_UNPRICED}), count(cost_nano)`;

/** Of events that have a duration: average, two quantiles, maximum, in ns. */
export const DURATIONS_SQL =
  "avg(duration_ns), quantile_cont(duration_ns, 0.5), quantile_cont(duration_ns, 0.95), max(duration_ns)";

/** What groups are ordered by. */
export const GROUP_ORDER_SQL: Readonly<Record<GroupOrder, string>> = {
  count: "count(*)",
  failure_count: "count(*) FILTER (result = 'failure')",
  error_count: "count(*) FILTER (result = 'error')",
  duration: "coalesce(sum(duration_ns), 0)",
  input_tokens: "coalesce(sum(input_tokens), 0)",
  output_tokens: "coalesce(sum(output_tokens), 0)",
  cost: "coalesce(sum(cost_nano), 0)",
  bytes: "coalesce(sum(bytes), 0)",
};
