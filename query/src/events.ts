import { AuditError } from "@agent-audit/schema";
import { type ColumnName, type Snapshot, tablesOf } from "@agent-audit/store";
import { decodeCursor, encodeCursor, walkOf } from "./cursor.js";
import { EVENT_COLUMNS, type EventJson, eventJson } from "./event-json.js";
import { inHalves } from "./in-halves.js";
import { findKeys } from "./page-keys.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { type EventsRequest, ORDERS } from "./request.js";
import { type Holding, rowsSql } from "./sql/events-sql.js";

/** Characters of a page's events: a page of larger ones is shorter, so that whoever walks on gets past them. */
const MAX_PAGE_TEXT = 8 * 1024 * 1024;
/** What a shorter page would mend. */
const TOO_LARGE = ["answer_too_large", "out_of_memory"];

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
  storeId: string,
  now: bigint,
): EventsRequest {
  const limit = parameters.integer("limit", 1, 200, 50);
  const order = parameters.choice("order", ORDERS, "desc");
  const withContent = parameters.choice("fields", ["content", ""], "") === "content";
  const after = parameters.integer("after_seq", 0, Number.MAX_SAFE_INTEGER, -1);
  if (after >= 0 && order !== "seq") {
    throw new BadRequestError("invalid_after_seq", "after_seq needs order=seq", "add order=seq");
  }
  const walk = walkOf(search, storeId);
  const cursorText = parameters.one("cursor");
  const cursor = cursorText === null ? null : decodeCursor(cursorText, walk);
  const filter = parseFilter(parameters, now);
  // Relative times were resolved on the first page: later pages keep its range.
  if (cursor !== null) Object.assign(filter, { fromNano: cursor.fromNano, toNano: cursor.toNano });
  const afterSeq = after < 0 ? null : BigInt(after);
  return { filter, limit, order, afterSeq, withContent, cursor, walk };
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
  const { filter, limit, cursor, walk } = request;
  const maxSeq = cursor?.maxSeq ?? snapshot.appliedSeq;
  const { keys, reached } = await findKeys(snapshot, request, maxSeq, firstRecords);
  let page = keys.slice(0, limit);
  let events: EventJson[] | null = null;
  while (events === null) {
    const seqs = page.map(({ seq }) => seq);
    // One alone is shown whatever its size.
    const isOne = page.length <= 1;
    const rows = rowsOf(snapshot, seqs, request.withContent, isOne ? undefined : MAX_PAGE_TEXT);
    events = await (isOne ? rows : rows.catch(nullIfTooLarge));
    if (events === null) page = page.slice(0, Math.ceil(page.length / 4));
  }
  const { fromNano, toNano } = filter;
  const isCut = page.length < keys.length;
  const last = isCut ? page.at(-1) : (reached ?? undefined);
  const nextCursor =
    last === undefined ? null : encodeCursor({ maxSeq, fromNano, toNano, ...last }, walk);
  return {
    events,
    next_cursor: nextCursor,
    ...(isCut || reached === null ? {} : { partial: true }),
  };
}

/** Gives `null` for rows that are too large to be read together. */
function nullIfTooLarge(error: unknown): null {
  if (error instanceof AuditError && TOO_LARGE.includes(error.code)) return null;
  throw error;
}

/**
 * Reads the events of these sequences, in their order.
 *
 * @param maxText characters that they may hold together, about; default: no limit
 * @throws AuditError `answer_too_large`
 */
export async function rowsOf(
  snapshot: Snapshot,
  seqs: readonly bigint[],
  withContent: boolean,
  maxText?: number,
): Promise<EventJson[]> {
  if (seqs.length === 0) return [];
  const holdings = snapshot.segments.flatMap((segment) => {
    const { firstSeq, lastSeq, emptyColumns } = segment;
    const held = seqs.filter((seq) => seq >= firstSeq && seq <= lastSeq);
    const holding = { seqs: held, emptyColumns };
    return held.length === 0 ? [] : tablesOf([segment]).map((table) => ({ table, ...holding }));
  });
  if (holdings.length === 0) return [];
  const wanted: ColumnName[] = withContent ? [...EVENT_COLUMNS, "content"] : [...EVENT_COLUMNS];
  const columns = wanted.filter((name) =>
    holdings.some(({ emptyColumns }) => !emptyColumns.includes(name)),
  );
  const ask = (half: readonly Holding[]) => snapshot.query({ ...rowsSql(half, columns), maxText });
  const rows = await inHalves(holdings, ask);
  const bySeq = new Map(
    rows.map((row) => [row[0] as bigint, eventJson(columns, row, withContent)]),
  );
  return seqs.map((seq) => bySeq.get(seq)).filter((event) => event !== undefined);
}
