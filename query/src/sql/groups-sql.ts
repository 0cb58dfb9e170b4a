import type { Cell, QueryRequest } from "@agent-audit/store";
import { FACET_FIELDS, FIELDS, type GroupField } from "../fields.js";
import type { Piece, Pieces } from "../pieces.js";
import type { FacetsRequest, Filter, GroupsRequest } from "../request.js";
import { SqlBuilder } from "./builder.js";
import { columnSql, conditionsSql, whereSql } from "./filter-sql.js";
import {
  costSql,
  countSql,
  DURATIONS_SQL,
  MEASURE_COLUMNS,
  SUMS_OF_COST_SQL,
  SUMS_OF_SUMS_SQL,
  sizeSql,
  sumsSql,
} from "./measures-sql.js";

/** Rank of what the limit cut off, among the ranks of the groups from 1. */
export const OTHER = 0;

/** Which events, in which groups. */
type Grouping = Pick<GroupsRequest, "filter" | "by">;

/** Pieces of one kind. */
interface Source extends Pieces {
  kind: Piece["kind"];
}

/** Selects from rows and from sums what each is made for: a group that is in both comes twice. */
function selectEach(from: Pieces, select: (source: Source) => string): string {
  return (["rows", "sums"] as const)
    .map((kind) => ({ ...from, kind, pieces: from.pieces.filter((piece) => piece.kind === kind) }))
    .filter(({ pieces }) => pieces.length > 0)
    .map(select)
    .join(" UNION ALL ");
}

/**
 * Adds up the largest groups, and all others: rows of rank from 1, or {@link OTHER}, the group's keys, currency, sums and
 * cost. One pass groups everything; what is large is found among the groups.
 */
export function groupsSql(
  from: Pieces,
  { filter, by, limit, orderBy }: GroupsRequest,
): QueryRequest {
  const sql = new SqlBuilder();
  const keys = by.map((_, i) => `k${i}`);
  const texts = by.map((name, i) => textSql(name, `k${i}`));
  const same = keys.map((key) => `g.${key} IS NOT DISTINCT FROM r.${key}`).join(" AND ");
  const list = keys.join(", ");
  sql.define(
    "g",
    selectEach(from, (source) => {
      const { kind } = source;
      const keyed = keyedSql(sql, source, { filter, by }, MEASURE_COLUMNS[kind]);
      return `SELECT ${list}, currency, ${sizeSql(kind, orderBy)}, ${sumsSql(kind)}, ${costSql(kind)} FROM ${keyed} GROUP BY ${list}, currency`;
    }),
  );
  sql.define(
    "r",
    `SELECT ${list}, row_number() OVER (ORDER BY sum(size) DESC, ${texts.join(", ")}) AS rank FROM g GROUP BY ${list} QUALIFY rank <= ${limit}`,
  );
  const named = by.map((name, i) => textSql(name, `any_value(r.k${i})`)).join(", ");
  return sql.statement(
    `SELECT coalesce(r.rank, ${OTHER})::DOUBLE, ${named}, currency, ${SUMS_OF_SUMS_SQL}, ${SUMS_OF_COST_SQL} FROM g LEFT JOIN r ON ${same} GROUP BY r.rank, currency`,
  );
}

/** Durations of each rank, and of all: rows of rank, 1 for all, {@link DURATIONS_SQL}. */
export function durationsSql(
  rows: Pieces,
  grouping: Grouping,
  keys: readonly Cell[][],
): QueryRequest {
  const sql = new SqlBuilder();
  const ranked = rankedSql(sql, { ...rows, kind: "rows" }, grouping, keys, ["duration_ns"]);
  return sql.statement(
    `SELECT rank, grouping(rank), ${DURATIONS_SQL} FROM ${ranked} WHERE duration_ns IS NOT NULL GROUP BY GROUPING SETS ((rank), ())`,
  );
}

/**
 * Counts the five breakdowns by one grouping, folded into each one's largest values: rows of the breakdown's index, value
 * and count; the last index has the count of all events.
 */
export function facetsSql(from: Pieces, { filter, limit }: FacetsRequest): QueryRequest {
  const sql = new SqlBuilder();
  const grouped = selectEach(from, (source) => {
    const { kind } = source;
    const keyed = keyedSql(sql, source, { filter, by: FACET_FIELDS }, COUNT_COLUMNS[kind]);
    return `SELECT ${FACET_FIELDS.map((_, i) => `k${i}`).join(", ")}, ${countSql(kind)} FROM ${keyed} GROUP BY ALL`;
  });
  const folded = FACET_FIELDS.map(
    (name, i) =>
      `(SELECT ${i}, ${textSql(name, `k${i}`)} AS value, sum(n)::BIGINT AS total FROM g GROUP BY value ORDER BY total DESC, value LIMIT ${limit})`,
  );
  const all = `(SELECT ${FACET_FIELDS.length}, NULL, coalesce(sum(n), 0)::BIGINT FROM g)`;
  sql.define("g", grouped);
  return sql.statement([...folded, all].join(" UNION ALL "));
}

/** Least and greatest time of the filtered events, as one row. */
export function timeRangeSql(from: Pieces, filter: Filter): QueryRequest {
  const sql = new SqlBuilder();
  const each = selectEach(from, (source) => {
    const [least, greatest] = source.kind === "rows" ? ["time", "time"] : ["min_time", "max_time"];
    const events = keyedSql(sql, source, { filter, by: [] }, [...new Set([least, greatest])]);
    return `SELECT min(${least}) AS least, max(${greatest}) AS greatest FROM ${events}`;
  });
  return sql.statement(`SELECT min(least), max(greatest) FROM (${each})`);
}

/** Finds the most frequent values of a field, as rows of one cell. */
export function frequentValuesSql(
  from: Pieces,
  filter: Filter,
  by: GroupField,
  limit: number,
): QueryRequest {
  const sql = new SqlBuilder();
  const text = textSql(by, "k0");
  const each = selectEach(from, (source) => {
    const { kind } = source;
    const keyed = keyedSql(sql, source, { filter, by: [by] }, COUNT_COLUMNS[kind]);
    return `SELECT k0, ${countSql(kind)} FROM ${keyed} GROUP BY k0`;
  });
  return sql.statement(
    `SELECT ${text} FROM (${each}) GROUP BY k0 ORDER BY sum(n) DESC, ${text} LIMIT ${limit}`,
  );
}

/** All that a field can hold, where that is a closed list: what {@link seriesSql} takes as keys without a pass to find them. */
export function closedKeys(by: GroupField): Cell[][] | null {
  const values = FIELDS[by]?.values;
  return values === undefined ? null : [...values, null].map((value) => [value]);
}

/**
 * Adds up base buckets of time: rows of the bucket's number since 1970, rank, currency, sums and cost; what a bucket has of
 * rows and of sums comes as two.
 *
 * @param keys of the ranks from 1; {@link closedKeys} where there are
 * @param baseNanos length of a base bucket
 */
export function seriesSql(
  from: Pieces,
  { filter, by }: Grouping,
  keys: readonly Cell[][],
  baseNanos: bigint,
): QueryRequest {
  const sql = new SqlBuilder();
  const [name] = by;
  const isClosed = name !== undefined && closedKeys(name) !== null;
  const [group, rank] = isClosed
    ? ["k0", `(coalesce(enum_code(k0), ${keys.length - 1}) + 1)`]
    : ["rank", "rank"];
  const each = selectEach(from, (source) => {
    const { kind } = source;
    const columns = [...MEASURE_COLUMNS[kind], "time"];
    const events = isClosed
      ? keyedSql(sql, source, { filter, by }, columns)
      : rankedSql(sql, source, { filter, by }, keys, columns);
    return `SELECT (time // ${sql.time(baseNanos)})::DOUBLE AS base, ${rank}::DOUBLE, currency, ${sumsSql(kind)}, ${costSql(kind)} FROM ${events} GROUP BY base, ${group}, currency`;
  });
  return sql.statement(each);
}

/** Columns that a count reads. */
const COUNT_COLUMNS = { rows: [], sums: ["row_count"] } as const;

/** Writes the filtered events, or sums of them, with their keys, as they are stored, as k0, k1, k2. */
function keyedSql(
  sql: SqlBuilder,
  { kind, pieces, appliedSeq }: Source,
  { filter, by }: { filter: Filter; by: readonly GroupField[] },
  columns: readonly string[],
): string {
  const keys = by.map((name, i) => `${columnSql(name)} AS k${i}`);
  const parts = pieces.map(({ tables, fromNano, toNano }) => {
    const part = { ...filter, fromNano, toNano };
    const where =
      kind === "sums" ? conditionsSql(sql, part) : whereSql(sql, part, appliedSeq, tables);
    return sql.from(tables, [...keys, ...columns], where);
  });
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(" UNION ALL ")})`;
}

/** Writes the filtered events with the rank of their group: 1 for the first of `keys`, {@link OTHER} for the rest. */
function rankedSql(
  sql: SqlBuilder,
  source: Source,
  { filter, by }: Grouping,
  keys: readonly Cell[][],
  columns: readonly string[],
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
