import type { Cell, ColumnName, QueryRequest } from "@agent-audit/store";
import type { GroupField } from "../fields.js";
import { FACET_FIELDS } from "../fields.js";
import type { FacetsRequest, Filter, GroupsRequest } from "../request.js";
import { SqlBuilder } from "./builder.js";
import { fieldSql, whereSql } from "./filter-sql.js";
import {
  COST_SQL,
  DURATIONS_SQL,
  GROUP_ORDER_SQL,
  MEASURE_COLUMNS,
  SUMS_SQL,
} from "./measures-sql.js";

/** Rank of what the limit cut off, among the ranks of the groups from 1. */
export const OTHER = 0;

/** What statements read: tables as a snapshot has them, up to a sequence. */
export interface Source {
  readonly tables: readonly string[];
  readonly appliedSeq: bigint;
}

/** Which events, in which groups. */
type Grouping = Pick<GroupsRequest, "filter" | "by">;

/** Finds the keys of the largest groups, largest first. */
export function largestGroupsSql(
  source: Source,
  { filter, by, limit, orderBy }: GroupsRequest,
): QueryRequest {
  const sql = new SqlBuilder();
  const keys = by.map((_, i) => `k${i}`).join(", ");
  const keyed = keyedSql(sql, source, { filter, by }, MEASURE_COLUMNS);
  return sql.statement(
    `SELECT ${keys} FROM ${keyed} GROUP BY ALL ORDER BY ${GROUP_ORDER_SQL[orderBy]} DESC, ${keys} LIMIT ${limit}`,
  );
}

/** Sums and durations of each rank, and of all: rows of rank, 1 for all, {@link SUMS_SQL}, {@link DURATIONS_SQL}. */
export function measuresSql(
  source: Source,
  grouping: Grouping,
  keys: readonly Cell[][],
): QueryRequest {
  const sql = new SqlBuilder();
  const ranked = rankedSql(sql, source, grouping, keys, MEASURE_COLUMNS);
  return sql.statement(
    `SELECT rank, grouping(rank), ${SUMS_SQL}, ${DURATIONS_SQL} FROM ${ranked} GROUP BY GROUPING SETS ((rank), ())`,
  );
}

/** What each rank cost: rows of rank, currency, {@link COST_SQL}. */
export function costsSql(
  source: Source,
  grouping: Grouping,
  keys: readonly Cell[][],
): QueryRequest {
  const sql = new SqlBuilder();
  const ranked = rankedSql(sql, source, grouping, keys, MEASURE_COLUMNS);
  return sql.statement(`SELECT rank, currency, ${COST_SQL} FROM ${ranked} GROUP BY rank, currency`);
}

/**
 * Counts the five breakdowns by one grouping, folded into each one's largest values: rows of the breakdown's index, value
 * and count; the last index has the count of all events.
 */
export function facetsSql(source: Source, { filter, limit }: FacetsRequest): QueryRequest {
  const sql = new SqlBuilder();
  const where = whereSql(sql, filter, source.appliedSeq);
  const columns = FACET_FIELDS.map((name) => `${fieldSql(name)} AS ${name}`);
  const grouped = `SELECT ${FACET_FIELDS.join(", ")}, count(*) AS n FROM ${sql.from(source.tables, columns, where)} GROUP BY ALL`;
  const folded = FACET_FIELDS.map(
    (name, i) =>
      `(SELECT ${i}, ${name}::VARCHAR AS value, sum(n)::BIGINT AS total FROM g GROUP BY value ORDER BY total DESC, value LIMIT ${limit})`,
  );
  const all = `(SELECT ${FACET_FIELDS.length}, NULL, coalesce(sum(n), 0)::BIGINT FROM g)`;
  return sql.statement(
    `WITH g AS MATERIALIZED (${grouped}) ${[...folded, all].join(" UNION ALL ")}`,
  );
}

/** Least and greatest time of the filtered events, as one row. */
export function timeRangeSql(source: Source, filter: Filter): QueryRequest {
  const sql = new SqlBuilder();
  const where = whereSql(sql, filter, source.appliedSeq);
  return sql.statement(
    `SELECT min(time), max(time) FROM ${sql.from(source.tables, ["time"], where)}`,
  );
}

/**
 * Adds up base buckets of time: rows of the bucket's number since 1970, rank, currency, {@link SUMS_SQL}, {@link COST_SQL}.
 *
 * @param baseNanos length of a base bucket
 */
export function seriesSql(
  source: Source,
  grouping: Grouping,
  keys: readonly Cell[][],
  baseNanos: bigint,
): QueryRequest {
  const sql = new SqlBuilder();
  const ranked = rankedSql(sql, source, grouping, keys, [...MEASURE_COLUMNS, "time"]);
  return sql.statement(
    `SELECT time // ${sql.time(baseNanos)} AS base, rank, currency, ${SUMS_SQL}, ${COST_SQL} FROM ${ranked} GROUP BY base, rank, currency`,
  );
}

/** Writes the filtered events with their keys as k0, k1, k2. */
function keyedSql(
  sql: SqlBuilder,
  { tables, appliedSeq }: Source,
  { filter, by }: Grouping,
  columns: readonly ColumnName[],
): string {
  const keys = by.map((name, i) => `${fieldSql(name)} AS k${i}`);
  return sql.from(tables, [...keys, ...columns], whereSql(sql, filter, appliedSeq));
}

/** Writes the filtered events with the rank of their group: 1 for the first of `keys`, {@link OTHER} for the rest. */
function rankedSql(
  sql: SqlBuilder,
  source: Source,
  { filter, by }: Grouping,
  keys: readonly Cell[][],
  columns: readonly ColumnName[],
): string {
  const keyed = keyedSql(sql, source, { filter, by }, columns);
  if (keys.length === 0) return `(SELECT *, ${OTHER} AS rank FROM ${keyed})`;
  const rows = keys.map((key, i) => {
    const cells = by.map((name, column) => keyCellSql(sql, name, key[column] ?? null));
    return `(${i + 1}, ${cells.join(", ")})`;
  });
  const names = by.map((_, i) => `g${i}`).join(", ");
  const join = by.map((_, i) => `k${i} IS NOT DISTINCT FROM g${i}`).join(" AND ");
  return `(SELECT s.*, coalesce(r.rank, ${OTHER}) AS rank FROM ${keyed} s LEFT JOIN (VALUES ${rows.join(", ")}) r(rank, ${names}) ON ${join})`;
}

function keyCellSql(sql: SqlBuilder, name: GroupField, cell: Cell): string {
  const type = name === "status_code" ? "INTEGER" : "VARCHAR";
  return cell === null ? `NULL::${type}` : `${sql.value(cell as string)}::${type}`;
}
