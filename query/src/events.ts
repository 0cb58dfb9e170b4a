import type { Snapshot } from "@agent-audit/store";
import { type Cursor, decodeCursor, encodeCursor, filterDigest } from "./cursor.js";
import { EVENT_COLUMNS, type EventJson, eventJson } from "./event-json.js";
import type { Filter } from "./filter.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { SqlBuilder } from "./sql.js";

const ORDERS = ["desc", "asc", "seq"] as const;
type Order = (typeof ORDERS)[number];

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
  const rows = await snapshot.query({
    sql: `SELECT * FROM ${sql.from(snapshot, columns, where)}`,
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

async function pageKeys(
  snapshot: Snapshot,
  { filter, limit, order, afterSeq, cursor }: EventsRequest,
  maxSeq: bigint,
): Promise<{ time: bigint; seq: bigint }[]> {
  const sql = new SqlBuilder();
  let where = sql.where(filter, maxSeq);
  if (cursor !== null) where += ` AND ${beyond(sql, order, cursor)}`;
  if (afterSeq !== null) where += ` AND seq > ${sql.seq(afterSeq)}`;
  const direction = order === "desc" ? "DESC" : "ASC";
  const by = order === "seq" ? "seq" : `time ${direction}, seq ${direction}`;
  const rows = await snapshot.query({
    sql: `SELECT time, seq FROM ${sql.from(snapshot, ["time", "seq"], where)} ORDER BY ${by} LIMIT ${limit + 1}`,
    values: sql.values,
  });
  return rows.map(([time, seq]) => ({ time: time as bigint, seq: seq as bigint }));
}

/** The redundant first comparison lets DuckDB skip row groups; a row-value comparison was 25 times slower. */
function beyond(sql: SqlBuilder, order: Order, { time, seq }: Cursor): string {
  if (order === "seq") return `seq > ${sql.seq(seq)}`;
  const sign = order === "desc" ? "<" : ">";
  const [t, s] = [sql.time(time), sql.seq(seq)];
  return `time ${sign}= ${t} AND (time ${sign} ${t} OR (time = ${t} AND seq ${sign} ${s}))`;
}
