import { type ColumnName, type Snapshot, tablesOf } from "@agent-audit/store";
import { decodeCursor, encodeCursor, filterDigest } from "./cursor.js";
import { EVENT_COLUMNS, type EventJson, eventJson } from "./event-json.js";
import { inHalves } from "./in-halves.js";
import { findKeys } from "./page-keys.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { type EventsRequest, ORDERS } from "./request.js";
import { type Holding, rowsSql } from "./sql/events-sql.js";

export interface EventsPage {
  events: EventJson[];
  next_cursor: string | null;
  /** There when time was over before the page was full: the cursor goes on from there. */
  partial?: true;
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

/**
 * Finds one page: first the keys, then the wide rows of those alone.
 *
 * @param firstRecords see `findKeys`
 */
export async function findEvents(
  snapshot: Snapshot,
  request: EventsRequest,
  firstRecords?: bigint,
): Promise<EventsPage> {
  const { filter, limit, cursor, digest } = request;
  const maxSeq = cursor?.maxSeq ?? snapshot.appliedSeq;
  const { keys, reached } = await findKeys(snapshot, request, maxSeq, firstRecords);
  const page = keys.slice(0, limit);
  const seqs = page.map(({ seq }) => seq);
  const events = await rowsOf(snapshot, seqs, request.withContent);
  const { fromNano, toNano } = filter;
  const last = reached ?? (keys.length > limit ? page.at(-1) : undefined);
  const nextCursor =
    last === undefined ? null : encodeCursor({ maxSeq, fromNano, toNano, ...last }, digest);
  return { events, next_cursor: nextCursor, ...(reached === null ? {} : { partial: true }) };
}

/** Reads the events of these sequences, in their order. */
export async function rowsOf(
  snapshot: Snapshot,
  seqs: readonly bigint[],
  withContent: boolean,
): Promise<EventJson[]> {
  if (seqs.length === 0) return [];
  const columns: ColumnName[] = withContent ? [...EVENT_COLUMNS, "content"] : [...EVENT_COLUMNS];
  const holdings = snapshot.segments.flatMap((segment) => {
    const { firstSeq, lastSeq } = segment;
    const held = seqs.filter((seq) => seq >= firstSeq && seq <= lastSeq);
    return held.length === 0 ? [] : tablesOf([segment]).map((table) => ({ table, seqs: held }));
  });
  if (holdings.length === 0) return [];
  const ask = (half: readonly Holding[]) => snapshot.query(rowsSql(half, columns));
  const rows = await inHalves(holdings, ask);
  const bySeq = new Map(
    rows.map((row) => [
      row[0] as bigint,
      eventJson(row, withContent ? (row.at(-1) ?? null) : undefined),
    ]),
  );
  return seqs.map((seq) => bySeq.get(seq)).filter((event) => event !== undefined);
}
