import type { Cell, ColumnName, QueryRequest } from "@agent-audit/store";
import { FACET_FIELDS, FIELDS, type GroupField } from "../fields.js";
import type { FacetsRequest, Filter, GroupsRequest } from "../request.js";
import { SqlBuilder } from "./builder.js";
import { columnSql, whereSql } from "./filter-sql.js";
import {
  COST_SQL,
  DURATIONS_SQL,
  GROUP_ORDER_SQL,
  MEASURE_COLUMNS,
  SUMS_OF_COST_SQL,
  SUMS_OF_SUMS_SQL,
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

/**
 * Adds up the largest groups, and all others: rows of rank from 1, or {@link OTHER}, the group's keys, currency,
 * {@link SUMS_SQL}, {@link COST_SQL}. One pass groups everything; what is large is found among the groups.
 */
export function groupsSql(
  source: Source,
  { filter, by, limit, orderBy }: GroupsRequest,
): QueryRequest {
  const sql = new SqlBuilder();
  const keyed = keyedSql(sql, source, { filter, by }, MEASURE_COLUMNS);
  const keys = by.map((_, i) => `k${i}`);
  const texts = by.map((name, i) => textSql(name, `k${i}`));
  const same = keys.map((key) => `g.${key} IS NOT DISTINCT FROM r.${key}`).join(" AND ");
  const list = keys.join(", ");
  sql.define(
    "g",
    `SELECT ${list}, currency, ${GROUP_ORDER_SQL[orderBy]} AS size, ${SUMS_SQL}, ${COST_SQL} FROM ${keyed} GROUP BY ${list}, currency`,
  );
  sql.define(
    "r",
    `SELECT ${list}, row_number() OVER (ORDER BY sum(size) DESC, ${texts.join(", ")}) AS rank FROM g GROUP BY ${list} QUALIFY rank <= ${limit}`,
  );
  const named = by.map((name, i) => textSql(name, `any_value(r.k${i})`)).join(", ");
  return sql.statement(
    `SELECT coalesce(r.rank, ${OTHER}), ${named}, currency, ${SUMS_OF_SUMS_SQL}, ${SUMS_OF_COST_SQL} FROM g LEFT JOIN r ON ${same} GROUP BY r.rank, currency`,
  );
}

/** Durations of each rank, and of all: rows of rank, 1 for all, {@link DURATIONS_SQL}. */
export function durationsSql(
  source: Source,
  grouping: Grouping,
  keys: readonly Cell[][],
): QueryRequest {
  const sql = new SqlBuilder();
  const ranked = rankedSql(sql, source, grouping, keys, ["duration_ns"]);
  return sql.statement(
    `SELECT rank, grouping(rank), ${DURATIONS_SQL} FROM ${ranked} WHERE duration_ns IS NOT NULL GROUP BY GROUPING SETS ((rank), ())`,
  );
}

/**
 * Counts the five breakdowns by one grouping, folded into each one's largest values: rows of the breakdown's index, value
 * and count; the last index has the count of all events.
 */
export function facetsSql(source: Source, { filter, limit }: FacetsRequest): QueryRequest {
  const sql = new SqlBuilder();
  const where = whereSql(sql, filter, source.appliedSeq, source.tables);
  const columns = FACET_FIELDS.map((name) => `${columnSql(name)} AS ${name}`);
  const grouped = `SELECT ${FACET_FIELDS.join(", ")}, count(*) AS n FROM ${sql.from(source.tables, columns, where)} GROUP BY ALL`;
  const folded = FACET_FIELDS.map(
    (name, i) =>
      `(SELECT ${i}, ${name}::VARCHAR AS value, sum(n)::BIGINT AS total FROM g GROUP BY value ORDER BY total DESC, value LIMIT ${limit})`,
  );
  const all = `(SELECT ${FACET_FIELDS.length}, NULL, coalesce(sum(n), 0)::BIGINT FROM g)`;
  sql.define("g", grouped);
  return sql.statement([...folded, all].join(" UNION ALL "));
}

/** Least and greatest time of the filtered events, as one row. */
export function timeRangeSql(source: Source, filter: Filter): QueryRequest {
  const sql = new SqlBuilder();
  const where = whereSql(sql, filter, source.appliedSeq, source.tables);
  return sql.statement(
    `SELECT min(time), max(time) FROM ${sql.from(source.tables, ["time"], where)}`,
  );
}

/** Finds the most frequent values of a field, as rows of one cell. */
export function frequentValuesSql(
  source: Source,
  filter: Filter,
  by: GroupField,
  limit: number,
): QueryRequest {
  const sql = new SqlBuilder();
  const keyed = keyedSql(sql, source, { filter, by: [by] }, []);
  const text = textSql(by, "k0");
  return sql.statement(
    `SELECT ${text} FROM ${keyed} GROUP BY k0 ORDER BY count(*) DESC, ${text} LIMIT ${limit}`,
  );
}

/** All that a field can hold, where that is a closed list: what {@link seriesSql} takes as keys without a pass to find them. */
export function closedKeys(by: GroupField): Cell[][] | null {
  const values = FIELDS[by]?.values;
  return values === undefined ? null : [...values, null].map((value) => [value]);
}

/**
 * Adds up base buckets of time: rows of the bucket's number since 1970, rank, currency, {@link SUMS_SQL}, {@link COST_SQL}.
 *
 * @param keys of the ranks from 1; {@link closedKeys} where there are
 * @param baseNanos length of a base bucket
 */
export function seriesSql(
  source: Source,
  { filter, by }: Grouping,
  keys: readonly Cell[][],
  baseNanos: bigint,
): QueryRequest {
  const sql = new SqlBuilder();
  const [name] = by;
  const columns: ColumnName[] = [...MEASURE_COLUMNS, "time"];
  const isClosed = name !== undefined && closedKeys(name) !== null;
  const [rank, from] = isClosed
    ? [
        `coalesce(enum_code(k0), ${keys.length - 1})::INTEGER + 1`,
        keyedSql(sql, source, { filter, by }, columns),
      ]
    : ["rank", rankedSql(sql, source, { filter, by }, keys, columns)];
  const group = isClosed ? "k0" : "rank";
  return sql.statement(
    `SELECT time // ${sql.time(baseNanos)} AS base, ${rank}, currency, ${SUMS_SQL}, ${COST_SQL} FROM ${from} GROUP BY base, ${group}, currency`,
  );
}

/** Writes the filtered events with their keys, as they are stored, as k0, k1, k2. */
function keyedSql(
  sql: SqlBuilder,
  { tables, appliedSeq }: Source,
  { filter, by }: Grouping,
  columns: readonly ColumnName[],
): string {
  const keys = by.map((name, i) => `${columnSql(name)} AS k${i}`);
  return sql.from(tables, [...keys, ...columns], whereSql(sql, filter, appliedSeq, tables));
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

/** Of the type that the key is stored in, so that no row's key must be made into text to be compared. */
function keyCellSql(sql: SqlBuilder, name: GroupField, cell: Cell): string {
  const values = FIELDS[name]?.values;
  const type =
    values !== undefined
      ? `ENUM(${values.map((value) => `'${value}'`).join(", ")})`
      : FIELDS[name]?.type === "integer"
        ? "INTEGER"
        : "VARCHAR";
  return cell === null ? `NULL::${type}` : `${sql.value(cell as string)}::${type}`;
}

/** Writes a stored key as what an answer has. */
function textSql(name: GroupField, key: string): string {
  return FIELDS[name]?.values === undefined ? key : `${key}::VARCHAR`;
}
