import { AuditError } from "@agent-audit/schema";
import { type Snapshot, type SnapshotSegment, tablesOf } from "@agent-audit/store";
import { FIELDS } from "./fields.js";
import type { EventsRequest, Filter, Order } from "./request.js";
import { type Key, pageKeysSql, type Slice } from "./sql/events-sql.js";

/** Beyond every time and every sequence. */
const END = 2n ** 64n;
const LAST_SEQ = 2n ** 63n - 1n;

/** Of the time that a page has, for its rows. */
const RESERVED_SHARE = 0.2;
/** Records of the first slice; later ones become as large as the time that they took allows. */
const SLICE_RECORDS = 100_000n;
const SHORT_SLICE_MILLIS = 200;
const LONG_SLICE_MILLIS = 600;

/** The keys of a page, in its order. */
export interface PageKeys {
  /** One more than the page takes, where there are more. */
  keys: Key[];
  /** Where to go on, when time was over before the page was full or the end was reached. */
  reached: Key | null;
}

/**
 * Finds the keys of a page: as a whole where columns answer, in slices where every record must be looked into.
 *
 * @param sliceRecords of the first slice, about
 */
export async function findKeys(
  snapshot: Snapshot,
  request: EventsRequest,
  maxSeq: bigint,
  sliceRecords = SLICE_RECORDS,
): Promise<PageKeys> {
  const segments = snapshot.segments.filter(({ firstSeq }) => firstSeq <= maxSeq);
  if (looksIntoRecords(request.filter)) {
    const width = firstWidth(segments, request.order, sliceRecords);
    return await keysBySlices(snapshot, segments, request, { maxSeq, width });
  }
  return { keys: await keysBySegments(snapshot, segments, request, maxSeq), reached: null };
}

function looksIntoRecords({ q, conditions }: Filter): boolean {
  return q !== null || conditions.some(({ field }) => FIELDS[field] === undefined);
}

/**
 * Reads segment by segment in the page's order, until no unread segment can hold one of the keys. More and more segments
 * are read at once: most pages end in the first, a rare filter needs them all.
 */
async function keysBySegments(
  snapshot: Snapshot,
  segments: readonly SnapshotSegment[],
  request: EventsRequest,
  maxSeq: bigint,
): Promise<Key[]> {
  const { order, cursor } = request;
  const limit = request.limit + 1;
  const unread = inPageOrder(segments, order).filter(
    (segment) => cursor === null || canLieBeyond(segment, order, cursor),
  );
  let keys: Key[] = [];
  for (let count = 1; unread.length > 0; count *= 2) {
    const tables = tablesOf(unread.splice(0, count));
    const rows = await snapshot.query(pageKeysSql(tables, request, { maxSeq, slice: null, limit }));
    keys = [...keys, ...rows.map(keyOf)].sort(keyOrder(order)).slice(0, limit);
    const last = keys[limit - 1];
    if (last !== undefined && unread.every((segment) => liesBehind(segment, order, last))) break;
  }
  return keys;
}

/** Reads slice by slice in the page's order, over all segments at once, as long as there is time. */
async function keysBySlices(
  snapshot: Snapshot,
  segments: readonly SnapshotSegment[],
  request: EventsRequest,
  { maxSeq, width: firstWidth }: { maxSeq: bigint; width: bigint },
): Promise<PageKeys> {
  const { order } = request;
  const limit = request.limit + 1;
  const reservedMillis = snapshot.remainingMillis() * RESERVED_SHARE;
  const keys: Key[] = [];
  let rest = placesOf(request, maxSeq);
  let width = firstWidth;
  let reached: Key | null = null;
  for (;;) {
    const slice = nextSlice(segments, order, rest, width);
    if (slice === null) return { keys, reached: null };
    const timeoutMillis = snapshot.remainingMillis() - reservedMillis;
    if (timeoutMillis <= 0 && reached !== null) return { keys, reached };
    const begin = performance.now();
    const tables = tablesOf(segments.filter((segment) => overlaps(segment, order, slice)));
    const asked = { maxSeq, slice, limit: limit - keys.length };
    try {
      const rows = await snapshot.query({
        ...pageKeysSql(tables, request, asked),
        ...(Number.isFinite(timeoutMillis) ? { timeoutMillis } : {}),
      });
      keys.push(...rows.map(keyOf));
    } catch (error) {
      const isOver = error instanceof AuditError && error.code === "query_timeout";
      if (isOver && reached !== null) return { keys, reached };
      throw error;
    }
    if (keys.length === limit) return { keys, reached: null };
    reached = endOf(slice, order);
    rest = restAfter(slice, order, rest);
    const millis = performance.now() - begin;
    if (millis < SHORT_SLICE_MILLIS) width *= 2n;
    else if (millis > LONG_SLICE_MILLIS && width > 1n) width /= 2n;
  }
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
  return order === "desc" ? { time: first, seq: 0n } : { time: last, seq: LAST_SEQ };
}

/** Times, or sequences, among which there are about so many records in the newest segment. */
function firstWidth(
  segments: readonly SnapshotSegment[],
  order: Order,
  sliceRecords: bigint,
): bigint {
  const newest = segments.at(-1);
  if (order === "seq" || newest === undefined) return sliceRecords;
  const { first, last } = extentOf(newest, order);
  const records = newest.lastSeq - newest.firstSeq + 1n;
  return greatest(1n, ((last - first) * sliceRecords) / greatest(1n, records));
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

/** Sorts segments by where their first event of a page can stand; those of unknown times come first. */
function inPageOrder(segments: readonly SnapshotSegment[], order: Order): SnapshotSegment[] {
  const begin = (segment: SnapshotSegment): bigint => {
    const { first, last } = extentOf(segment, order);
    return order === "desc" ? -last : first;
  };
  return [...segments].sort((a, b) => compare(begin(a), begin(b)));
}

/** Whether all events of a segment come after a key in the page's order. */
function liesBehind(segment: SnapshotSegment, order: Order, { time, seq }: Key): boolean {
  const { first, last } = extentOf(segment, order);
  if (order === "seq") return first > seq;
  return order === "desc" ? last < time : first > time;
}

/** Whether a segment can hold an event after the cursor, or at its time. */
function canLieBeyond(segment: SnapshotSegment, order: Order, { time, seq }: Key): boolean {
  const { first, last } = extentOf(segment, order);
  if (order === "seq") return last > seq;
  return order === "desc" ? first <= time : last >= time;
}

function keyOf([time, seq]: readonly unknown[]): Key {
  return { time: time as bigint, seq: seq as bigint };
}

function keyOrder(order: Order): (a: Key, b: Key) => number {
  if (order === "seq") return (a, b) => compare(a.seq, b.seq);
  const sign = order === "desc" ? -1 : 1;
  return (a, b) => sign * (compare(a.time, b.time) || compare(a.seq, b.seq));
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
