import { type Snapshot, type SnapshotSegment, tablesOf } from "@agent-audit/store";
import { type Cursor, decodeCursor, encodeCursor, filterDigest } from "./cursor.js";
import { EVENT_COLUMNS, type EventJson, eventJson } from "./event-json.js";
import type { Filter } from "./filter.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { SqlBuilder } from "./sql.js";

const ORDERS = ["desc", "asc", "seq"] as const;
type Order = (typeof ORDERS)[number];

/** Beyond every time. */
const END_OF_TIME = 2n ** 64n;

/** Where an event stands in the orders of a page. */
type Key = Pick<Cursor, "time" | "seq">;

export interface EventsRequest {
  filter: Filter;
  limit: number;
  order: Order;
  /** For `order=seq`: give what comes after. */
  afterSeq: bigint | null;
  withContent: boolean;
  cursor: Cursor | null;
  digest: string;
}

export interface EventsPage {
  events: EventJson[];
  next_cursor: string | null;
}

/** Reads the parameters of `GET /events`. @throws BadRequestError */
export function parseEventsRequest(
  parameters: Parameters,
  search: URLSearchParams,
  now: bigint,
): EventsRequest {
  const limit = parameters.integer("limit", 1, 200, 50);
  const order = parameters.choice("order", ORDERS, "desc");
  const withContent = parameters.choice("fields", ["content", ""], "") === "content";
  const after = parameters.integer("after_seq", 0, Number.MAX_SAFE_INTEGER, -1);
  if (after >= 0 && order !== "seq") {
    throw new BadRequestError("invalid_after_seq", "after_seq needs order=seq", "add order=seq");
  }
  const digest = filterDigest(search);
  const cursorText = parameters.one("cursor");
  const cursor = cursorText === null ? null : decodeCursor(cursorText, digest);
  const filter = parseFilter(parameters, now);
  // Relative times were resolved on the first page: later pages keep its range.
  if (cursor !== null) Object.assign(filter, { fromNano: cursor.fromNano, toNano: cursor.toNano });
  const afterSeq = after < 0 ? null : BigInt(after);
  return { filter, limit, order, afterSeq, withContent, cursor, digest };
}

/** Finds one page: first the keys, then the wide rows of those alone. */
export async function findEvents(snapshot: Snapshot, request: EventsRequest): Promise<EventsPage> {
  const { filter, limit, cursor, digest } = request;
  const maxSeq = cursor?.maxSeq ?? snapshot.appliedSeq;
  const keys = await pageKeys(snapshot, request, maxSeq);
  const page = keys.slice(0, limit);
  const events = await rowsOf(
    snapshot,
    page.map(({ seq }) => seq),
    request.withContent,
  );
  const last = page.at(-1);
  if (keys.length <= limit || last === undefined) return { events, next_cursor: null };
  const { fromNano, toNano } = filter;
  return { events, next_cursor: encodeCursor({ maxSeq, fromNano, toNano, ...last }, digest) };
}

/** Reads the events of these sequences, in their order. */
export async function rowsOf(
  snapshot: Snapshot,
  seqs: readonly bigint[],
  withContent: boolean,
): Promise<EventJson[]> {
  if (seqs.length === 0) return [];
  const sql = new SqlBuilder();
  const columns = withContent ? [...EVENT_COLUMNS, "content"] : EVENT_COLUMNS;
  const where = `seq IN (${seqs.map((seq) => sql.seq(seq)).join(", ")})`;
  const holders = snapshot.segments.filter(({ firstSeq, lastSeq }) =>
    seqs.some((seq) => seq >= firstSeq && seq <= lastSeq),
  );
  const rows = await snapshot.query({
    sql: `SELECT * FROM ${sql.from({ tables: tablesOf(holders) }, columns, where)}`,
    values: sql.values,
  });
  const bySeq = new Map(
    rows.map((row) => [
      row[0] as bigint,
      eventJson(row, withContent ? (row.at(-1) ?? null) : undefined),
    ]),
  );
  return seqs.map((seq) => bySeq.get(seq)).filter((event) => event !== undefined);
}

/**
 * Finds the keys of a page and one more, segment by segment in the page's order, until no unread segment can hold
 * one of them. More and more segments are read at once: most pages end in the first, a rare filter needs them all.
 */
async function pageKeys(
  snapshot: Snapshot,
  request: EventsRequest,
  maxSeq: bigint,
): Promise<Key[]> {
  const { limit, order, cursor } = request;
  const unread = inPageOrder(snapshot.segments, order).filter(
    (segment) => segment.firstSeq <= maxSeq && (cursor === null || canLieBeyond(segment, request)),
  );
  let keys: Key[] = [];
  for (let count = 1; unread.length > 0; count *= 2) {
    const found = await keysIn(snapshot, unread.splice(0, count), request, maxSeq);
    keys = [...keys, ...found].sort(keyOrder(order)).slice(0, limit + 1);
    const last = keys[limit];
    if (last !== undefined && unread.every((segment) => liesBehind(segment, order, last))) break;
  }
  return keys;
}

async function keysIn(
  snapshot: Snapshot,
  segments: readonly SnapshotSegment[],
  { filter, limit, order, afterSeq, cursor }: EventsRequest,
  maxSeq: bigint,
): Promise<Key[]> {
  const sql = new SqlBuilder();
  let where = sql.where(filter, maxSeq);
  if (cursor !== null) where += ` AND ${beyond(sql, order, cursor)}`;
  if (afterSeq !== null) where += ` AND seq > ${sql.seq(afterSeq)}`;
  const direction = order === "desc" ? "DESC" : "ASC";
  const by = order === "seq" ? "seq" : `time ${direction}, seq ${direction}`;
  const source = sql.from({ tables: tablesOf(segments) }, ["time", "seq"], where);
  const rows = await snapshot.query({
    sql: `SELECT time, seq FROM ${source} ORDER BY ${by} LIMIT ${limit + 1}`,
    values: sql.values,
  });
  return rows.map(([time, seq]) => ({ time: time as bigint, seq: seq as bigint }));
}

/** Sorts segments by where their first event of a page can stand; those of unknown times come first. */
function inPageOrder(segments: readonly SnapshotSegment[], order: Order): SnapshotSegment[] {
  const first = ({ firstSeq, minTime, maxTime }: SnapshotSegment): bigint => {
    if (order === "seq") return firstSeq;
    const time = order === "desc" ? maxTime : minTime;
    if (time === null) return -END_OF_TIME;
    return order === "desc" ? -time : time;
  };
  return [...segments].sort((a, b) => compare(first(a), first(b)));
}

/** Whether all events of a segment come after a key in the page's order. */
function liesBehind(segment: SnapshotSegment, order: Order, { time, seq }: Key): boolean {
  const { firstSeq, minTime, maxTime } = segment;
  if (order === "seq") return firstSeq > seq;
  if (minTime === null || maxTime === null) return false;
  return order === "desc" ? maxTime < time : minTime > time;
}

/** Whether a segment can hold an event after the cursor, or at its time. */
function canLieBeyond(segment: SnapshotSegment, { order, cursor }: EventsRequest): boolean {
  const { lastSeq, minTime, maxTime } = segment;
  const { time, seq } = cursor as Cursor;
  if (order === "seq") return lastSeq > seq;
  if (minTime === null || maxTime === null) return true;
  return order === "desc" ? minTime <= time : maxTime >= time;
}

function keyOrder(order: Order): (a: Key, b: Key) => number {
  if (order === "seq") return (a, b) => compare(a.seq, b.seq);
  const sign = order === "desc" ? -1 : 1;
  return (a, b) => sign * (compare(a.time, b.time) || compare(a.seq, b.seq));
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

/** The redundant first comparison lets DuckDB skip row groups; a row-value comparison was 25 times slower. */
function beyond(sql: SqlBuilder, order: Order, { time, seq }: Cursor): string {
  if (order === "seq") return `seq > ${sql.seq(seq)}`;
  const sign = order === "desc" ? "<" : ">";
  const [t, s] = [sql.time(time), sql.seq(seq)];
  return `time ${sign}= ${t} AND (time ${sign} ${t} OR (time = ${t} AND seq ${sign} ${s}))`;
}
