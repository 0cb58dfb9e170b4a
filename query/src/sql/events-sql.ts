import type { ColumnName, QueryRequest, ReadScope } from "@agent-audit/store";
import type { EventsRequest, Filter, Order } from "../request.js";
import { SqlBuilder } from "./builder.js";
import { scopeSql, whereSql } from "./filter-sql.js";

/** Where an event stands in the orders of a page. */
export interface Key {
  time: bigint;
  seq: bigint;
}

/** Bounds a part of a page's order, both ends inclusive: times, or sequences for `order=seq`. */
export interface Slice {
  first: bigint;
  last: bigint;
}

/** What keys are looked for, and where. */
export interface KeysWanted {
  /** Those that have anything in the slice. */
  tables: readonly string[];
  allTables: readonly string[];
  slice: Slice;
  maxSeq: bigint;
  limit: number;
}

/** Finds the first keys of a page's order after its cursor, as rows of time and seq. */
export function pageKeysSql(
  { filter, order, afterSeq, cursor }: EventsRequest,
  { tables, allTables, slice, maxSeq, limit }: KeysWanted,
): QueryRequest {
  const sql = new SqlBuilder();
  const parts = [whereSql(sql, filter, maxSeq, allTables), sliceSql(sql, order, slice)];
  if (cursor !== null) parts.push(beyondSql(sql, order, cursor));
  if (afterSeq !== null) parts.push(`seq > ${sql.seq(afterSeq)}`);
  const direction = order === "desc" ? "DESC" : "ASC";
  const by = order === "seq" ? "seq" : `time ${direction}, seq ${direction}`;
  const source = sql.from(tables, ["time", "seq"], parts.join(" AND "));
  return sql.statement(`SELECT time, seq FROM ${source} ORDER BY ${by} LIMIT ${limit}`);
}

function sliceSql(sql: SqlBuilder, order: Order, { first, last }: Slice): string {
  return order === "seq"
    ? `seq >= ${sql.seq(first)} AND seq <= ${sql.seq(last)}`
    : `time >= ${sql.time(first)} AND time <= ${sql.time(last)}`;
}

/** The redundant first comparison lets DuckDB skip row groups; a row-value comparison was 25 times slower. */
function beyondSql(sql: SqlBuilder, order: Order, { time, seq }: Key): string {
  if (order === "seq") return `seq > ${sql.seq(seq)}`;
  const sign = order === "desc" ? "<" : ">";
  const [t, s] = [sql.time(time), sql.seq(seq)];
  return `time ${sign}= ${t} AND (time ${sign} ${t} OR (time = ${t} AND seq ${sign} ${s}))`;
}

/** A table, and sequences of events that it holds. */
export interface Holding {
  table: string;
  seqs: readonly bigint[];
}

/** Sequences that are near enough to one another for their rows, and those between them, to be read in one go. */
const NEAR = 4_096n;

/** Reads columns of the events with these sequences, in any order. */
export function rowsSql(
  holdings: readonly Holding[],
  columns: readonly ColumnName[],
): QueryRequest {
  const sql = new SqlBuilder();
  const list = columns.join(", ");
  const parts = holdings.flatMap(({ table, seqs }) => {
    const sorted = [...seqs].sort((a, b) => (a < b ? -1 : 1));
    const [first, last] = [sorted[0] as bigint, sorted.at(-1) as bigint];
    const select = (where: string) => `SELECT ${list} FROM ${table} WHERE ${where}`;
    const isNear = last - first < NEAR;
    // Two that are far apart are found one by one in two thirds of the time.
    if (first === last || (sorted.length === 2 && !isNear)) {
      return sorted.map((seq) => select(`seq = ${sql.seq(seq)}`));
    }
    const wanted = `seq >= ${sql.seq(first)} AND seq <= ${sql.seq(last)} AND seq IN ${sql.seqs(sorted)}`;
    // Of row ids DuckDB skips all vectors but those that are wanted, in every column; of a list of values none.
    return select(isNear ? wanted : `rowid IN (SELECT rowid FROM ${table} WHERE ${wanted})`);
  });
  return sql.statement(parts.join(" UNION ALL "));
}

/** Finds the sequences of a record's id, or checks one, within what a caller may see; the lowest first. */
export function seqsSql(
  tables: readonly string[],
  named: { id: string } | { seq: bigint },
  scope: ReadScope,
  limit: number,
): QueryRequest {
  const sql = new SqlBuilder();
  const isNamed = "seq" in named ? `seq = ${sql.seq(named.seq)}` : `id = ${sql.value(named.id)}`;
  const where = [isNamed, ...scopeSql(sql, scope)].join(" AND ");
  const source = sql.from(tables, ["seq"], where);
  return sql.statement(`SELECT seq FROM ${source} ORDER BY seq LIMIT ${limit}`);
}

/** Gives a row if any event matches one of the filters; takes as long as it takes. */
export function anySql(
  tables: readonly string[],
  filters: readonly Filter[],
  maxSeq: bigint,
): QueryRequest {
  const sql = new SqlBuilder();
  const any = filters.map((filter) => `(${whereSql(sql, filter, maxSeq, tables)})`);
  const source = sql.from(tables, ["seq"], any.join(" OR "));
  return { ...sql.statement(`SELECT 1 FROM ${source} LIMIT 1`), timeoutMillis: null };
}

/**
 * Counts the emitters' streams that were heard since one time, not since another, and did not end.
 *
 * @param since ns since 1970 UTC
 * @param notSince ns since 1970 UTC
 */
export function silentStreamsSql(
  tables: readonly string[],
  since: bigint,
  notSince: bigint,
): QueryRequest {
  const sql = new SqlBuilder();
  const where = `received_time >= ${sql.time(since)} AND stream_id IS NOT NULL`;
  const columns = ["org_id", "stream_id", "received_time", "stream_end"];
  const source = sql.from(tables, columns, where);
  const last = `max(received_time) < ${sql.time(notSince)}`;
  const silent = `SELECT 1 FROM ${source} GROUP BY org_id, stream_id HAVING NOT coalesce(bool_or(stream_end), false) AND ${last}`;
  return sql.statement(`SELECT count(*) FROM (${silent})`);
}
