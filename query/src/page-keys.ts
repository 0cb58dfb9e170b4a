import { AuditError } from "@agent-audit/schema";
import {
  isLimited,
  MAX_SEQ,
  type QueryRequest,
  type Snapshot,
  type SnapshotSegment,
  tablesOf,
} from "@agent-audit/store";
import { FIELDS } from "./fields.js";
import { inHalves } from "./in-halves.js";
import type { EventsRequest, Filter, Order } from "./request.js";
import { type Key, pageKeysSql, type Slice } from "./sql/events-sql.js";

/** Beyond every time. */
const END = 2n ** 64n;

/** Of the time that a page has, for its rows. */
const RESERVED_SHARE = 0.2;
/** Of the time that is left, for one slice. */
const SLICE_SHARE = 0.25;
/** Records of the first slice, about, where it is not known how many match. */
const FIRST_RECORDS = 10_000n;
/** Pages that the first slice is to hold, where nearly all match: to sort ten thousand keys took longer than to find them. */
const FIRST_PAGES = 4n;
/**
 * Where columns answer, few slices are the fastest way: one for pages that are full at once, one as wide as what was found
 * lets expect, and, where nothing was found, one over ten million records.
 */
const MAX_GROWTH = 1000;
const MIN_GROWTH = 2;
/** Of what is expected to hold the rest of the page. */
const SURPLUS = 1.5;
const SHORT_SLICE_MILLIS = 200;
/** A slice that took too long is tried again in this many parts. */
const PARTS = 16n;
/** The least that is looked at at once: ns, or sequences. */
const MIN_WIDTH = { desc: 1_000_000_000n, asc: 1_000_000_000n, seq: 100n };

const COMPARE: Readonly<Record<Order, (a: Key, b: Key) => number>> = {
  desc: (a, b) => compare(b.time, a.time) || compare(b.seq, a.seq),
  asc: (a, b) => compare(a.time, b.time) || compare(a.seq, b.seq),
  seq: (a, b) => compare(a.seq, b.seq),
};

/** The keys of a page, in its order. */
export interface PageKeys {
  /** One more than the page takes, where there are more. */
  keys: Key[];
  /** Where to go on, when time was over before the page was full or the end was reached. */
  reached: Key | null;
}

/**
 * Finds the keys of a page: slice by slice in the page's order, over all segments that have anything there, as long as there
 * is time.
 *
 * @param firstRecords of the first slice, about
 */
export async function findKeys(
  snapshot: Snapshot,
  request: EventsRequest,
  maxSeq: bigint,
  firstRecords = matchesMost(request.filter) ? BigInt(request.limit) * FIRST_PAGES : FIRST_RECORDS,
): Promise<PageKeys> {
  const { order } = request;
  const segments = snapshot.segments.filter(({ firstSeq }) => firstSeq <= maxSeq);
  const limit = request.limit + 1;
  let grow = looksIntoRecords(request.filter) ? growthForTime : growthForMatches;
  const reservedMillis = snapshot.remainingMillis() * RESERVED_SHARE;
  const keys: Key[] = [];
  let rest = placesOf(request, maxSeq);
  let width = firstWidth(segments, order, firstRecords);
  let reached: Key | null = null;
  for (;;) {
    const slice = nextSlice(segments, order, rest, width);
    if (slice === null) return { keys, reached: null };
    const leftMillis = snapshot.remainingMillis() - reservedMillis;
    if (leftMillis <= 0 && reached !== null) return { keys, reached };
    const begin = performance.now();
    const tables = tablesOf(segments.filter((segment) => overlaps(segment, order, slice)));
    // An end may stand anywhere; nothing else is asked of segments outside of the slice.
    const allTables = request.filter.isUnfinished ? snapshot.tables : [];
    const wanted = { allTables, slice, maxSeq, limit: limit - keys.length };
    const ask = (tables: readonly string[]) =>
      snapshot.query({
        ...pageKeysSql(request, { ...wanted, tables }),
        ...limitsOf(leftMillis),
      });
    let found: Key[];
    try {
      found = (await inHalves(tables, ask)).map(keyOf).sort(COMPARE[order]);
      keys.push(...found.slice(0, wanted.limit));
    } catch (error) {
      const code = error instanceof AuditError ? error.code : "";
      if (code === "query_timeout" && leftMillis > 0 && width > MIN_WIDTH[order]) {
        width = greatest(MIN_WIDTH[order], width / PARTS);
        // From here on it must not grow past what failed in one step.
        grow = growthForTime;
        continue;
      }
      const isOver = code === "query_timeout" || code === "too_many_queries";
      if (isOver && reached !== null) return { keys, reached };
      throw error;
    }
    if (keys.length === limit) return { keys, reached: null };
    reached = endOf(slice, order);
    rest = restAfter(slice, order, rest);
    const growth = grow(performance.now() - begin, found.length, limit - keys.length);
    width *= BigInt(growth);
  }
}

function matchesMost({ scope, conditions, q, isUnfinished }: Filter): boolean {
  return !isLimited(scope) && conditions.length === 0 && q === null && !isUnfinished;
}

function looksIntoRecords({ q, conditions }: Filter): boolean {
  return q !== null || conditions.some(({ field }) => FIELDS[field] === undefined);
}

/** Grows while slices are answered at once; waiting for a place counts, so that it does not grow where others wait. */
function growthForTime(millis: number): number {
  return millis < SHORT_SLICE_MILLIS ? 2 : 1;
}

/** The fewer of a slice match, the wider is the next. */
function growthForMatches(_: number, found: number, missing: number): number {
  const wanted = Math.ceil((missing / found) * SURPLUS);
  return Math.min(MAX_GROWTH, Math.max(MIN_GROWTH, wanted));
}

/** What is reserved is not for slices, and one slice is not given all that is left. */
function limitsOf(leftMillis: number): Pick<QueryRequest, "timeoutMillis" | "runMillis"> {
  if (!Number.isFinite(leftMillis)) return {};
  const timeoutMillis = Math.max(0, leftMillis);
  return { timeoutMillis, runMillis: timeoutMillis * SLICE_SHARE };
}

/** The places, times or sequences, that a request asks for. */
function placesOf({ order, filter, cursor, afterSeq }: EventsRequest, maxSeq: bigint): Slice {
  if (order === "seq") {
    return { first: greatest(cursor?.seq ?? 0n, afterSeq ?? 0n) + 1n, last: maxSeq };
  }
  const first = filter.fromNano ?? 0n;
  const last = (filter.toNano ?? END) - 1n;
  if (cursor === null) return { first, last };
  return order === "desc"
    ? { first, last: least(last, cursor.time) }
    : { first: greatest(first, cursor.time), last };
}

/** A slice at the beginning of the rest, where segments have anything; `null` where none has. */
function nextSlice(
  segments: readonly SnapshotSegment[],
  order: Order,
  rest: Slice,
  width: bigint,
): Slice | null {
  const parts = segments
    .filter((segment) => rest.first <= rest.last && overlaps(segment, order, rest))
    .map((segment) => extentOf(segment, order));
  if (parts.length === 0) return null;
  if (order === "desc") {
    const last = least(rest.last, parts.map(({ last }) => last).reduce(greatest));
    return { first: greatest(rest.first, last - width + 1n), last };
  }
  const first = greatest(rest.first, parts.map(({ first }) => first).reduce(least));
  return { first, last: least(rest.last, first + width - 1n) };
}

function restAfter({ first, last }: Slice, order: Order, rest: Slice): Slice {
  return order === "desc"
    ? { first: rest.first, last: first - 1n }
    : { first: last + 1n, last: rest.last };
}

/** A key behind all of a slice, and before all that follows. */
function endOf({ first, last }: Slice, order: Order): Key {
  if (order === "seq") return { time: 0n, seq: last };
  return order === "desc" ? { time: first, seq: 0n } : { time: last, seq: MAX_SEQ };
}

/** Times, or sequences, among which there are about so many records in the newest segment that can be read. */
function firstWidth(segments: readonly SnapshotSegment[], order: Order, wanted: bigint): bigint {
  const newest = segments.findLast(({ table }) => table !== null);
  if (order === "seq" || newest === undefined) return greatest(MIN_WIDTH[order], wanted);
  const { first, last } = extentOf(newest, order);
  const records = newest.lastSeq - newest.firstSeq + 1n;
  return greatest(MIN_WIDTH[order], ((last - first) * wanted) / greatest(1n, records));
}

/** Where a segment's events lie; anywhere while that is not known. */
function extentOf({ firstSeq, lastSeq, minTime, maxTime }: SnapshotSegment, order: Order): Slice {
  if (order === "seq") return { first: firstSeq, last: lastSeq };
  return { first: minTime ?? 0n, last: maxTime ?? END - 1n };
}

function overlaps(segment: SnapshotSegment, order: Order, slice: Slice): boolean {
  const { first, last } = extentOf(segment, order);
  return first <= slice.last && last >= slice.first;
}

function keyOf([time, seq]: readonly unknown[]): Key {
  return { time: time as bigint, seq: seq as bigint };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function greatest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
