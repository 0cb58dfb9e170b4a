import type { Cell, ColumnName, Snapshot } from "@agent-audit/store";
import type { GroupField } from "./fields.js";
import type { Filter } from "./filter.js";
import { MEASURE_COLUMNS } from "./measures.js";
import { fieldExpression, SqlBuilder } from "./sql.js";

/** What groups can be ordered by, largest first. */
export const GROUP_ORDERS = {
  count: "count(*)",
  failure_count: "count(*) FILTER (result = 'failure')",
  error_count: "count(*) FILTER (result = 'error')",
  duration: "coalesce(sum(duration_ns), 0)",
  input_tokens: "coalesce(sum(input_tokens), 0)",
  output_tokens: "coalesce(sum(output_tokens), 0)",
  cost: "coalesce(sum(cost_nano), 0)",
  bytes: "coalesce(sum(bytes), 0)",
} as const;

/** Asks for the largest groups of the filtered events. */
export interface GroupsRequest {
  filter: Filter;
  by: GroupField[];
  limit: number;
  orderBy: keyof typeof GROUP_ORDERS;
}

/** Rank of what the limit cut off, among the ranks of the groups from 1. */
export const OTHER = 0;

/** Finds the keys of the largest groups, largest first. */
export async function largestGroups(
  snapshot: Snapshot,
  { filter, by, limit, orderBy }: GroupsRequest,
): Promise<Cell[][]> {
  const sql = new SqlBuilder();
  const keys = by.map((_, i) => `k${i}`);
  const source = keyedSource(sql, snapshot, filter, by);
  return await snapshot.query({
    sql: `SELECT ${keys.join(", ")} FROM ${source} GROUP BY ALL ORDER BY ${GROUP_ORDERS[orderBy]} DESC, ${keys.join(", ")} LIMIT ${limit}`,
    values: sql.values,
  });
}

/** Writes the filtered events with their keys as k0, k1, k2. */
function keyedSource(
  sql: SqlBuilder,
  snapshot: Snapshot,
  filter: Filter,
  by: readonly GroupField[],
  columns: readonly ColumnName[] = [],
): string {
  const keys = by.map((name, i) => `${fieldExpression(name)} AS k${i}`);
  const where = sql.where(filter, snapshot.appliedSeq);
  return sql.from(snapshot, [...keys, ...MEASURE_COLUMNS, ...columns], where);
}

/**
 * Writes the filtered events with the rank of their group: 1 for the first of `keys`, {@link OTHER} for
 * all that are not among them.
 *
 * @param columns further columns that the caller reads
 */
export function rankedSource(
  sql: SqlBuilder,
  snapshot: Snapshot,
  { filter, by }: Pick<GroupsRequest, "filter" | "by">,
  keys: readonly Cell[][],
  columns: readonly ColumnName[] = [],
): string {
  const source = keyedSource(sql, snapshot, filter, by, columns);
  if (keys.length === 0) return `(SELECT *, ${OTHER} AS rank FROM ${source})`;
  const types = by.map((name) => (name === "status_code" ? "INTEGER" : "VARCHAR"));
  const rows = keys.map((key, rank) => {
    const cells = types.map((type, i) => {
      const cell = key[i] ?? null;
      return cell === null ? `NULL::${type}` : `${sql.value(cell as string)}::${type}`;
    });
    return `(${rank + 1}, ${cells.join(", ")})`;
  });
  const names = by.map((_, i) => `g${i}`);
  const join = by.map((_, i) => `k${i} IS NOT DISTINCT FROM g${i}`).join(" AND ");
  return `(SELECT s.*, coalesce(r.rank, ${OTHER}) AS rank FROM ${source} s LEFT JOIN (VALUES ${rows.join(", ")}) r(rank, ${names.join(", ")}) ON ${join})`;
}
