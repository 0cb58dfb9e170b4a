import type { Cell, Column, Snapshot } from "@agent-audit/store";
import { groupField } from "./aggregate.js";
import { bucketStart, type Interval, longestMillis, nextBucket, parseInterval } from "./buckets.js";
import type { GroupField } from "./fields.js";
import { type Cost, CostTally, type Sums, SumsTally } from "./measures.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { piecesOf } from "./pieces.js";
import { BadRequestError } from "./query-error.js";
import type { Filter, TimeseriesRequest } from "./request.js";
import { closedKeys, frequentValuesSql, OTHER, seriesSql, timeRangeSql } from "./sql/groups-sql.js";
import { SUMS_CELLS } from "./sql/measures-sql.js";
import { formatTime } from "./time.js";
import { Zone } from "./zone.js";

const MAX_BUCKETS = 10_000;
/** Groups of all buckets together: the answer is put together on the thread that answers everybody. */
const MAX_POINTS = 50_000;

type Series = Sums & { cost: Cost[] };

export interface Bucket extends Series {
  start: string;
  groups?: ({ key: Record<string, string | number | null> } & Series)[];
  other?: Series | null;
}

export interface TimeseriesAnswer {
  interval: string;
  tz: string;
  buckets: Bucket[];
  applied_seq: number;
}

/** Reads the parameters of `GET /timeseries`. @throws BadRequestError */
export function parseTimeseriesRequest(parameters: Parameters, now: bigint): TimeseriesRequest {
  const interval = parseInterval(parameters.one("interval") ?? "hour");
  const by = parameters.one("by");
  const limit = parameters.integer("limit", 1, 100, 10);
  const zone = new Zone(parameters.one("tz") ?? "UTC");
  const filter = parseFilter(parameters, now);
  return { filter, interval, limit, zone, by: by === null ? null : groupField("by", by) };
}

/** Columns of what the database adds up: the base bucket's number, rank of its group, currency, sums, cost. */
type Parts = readonly [
  bases: Float64Array,
  ranks: Float64Array,
  currencies: Cell[],
  counts: Float64Array,
  ...others: Column[],
];
const SUMS_AT = 3;

/** Adds up what a bucket, or a group in it, has. */
class SeriesTally {
  readonly #sums = new SumsTally();
  readonly #cost = new CostTally();

  add(parts: Parts, row: number): void {
    this.#sums.add(parts, SUMS_AT, row);
    this.#cost.add(parts[2][row] ?? null, parts, SUMS_AT + SUMS_CELLS, row);
  }

  json(): Series {
    return Object.assign(this.#sums.json(), { cost: this.#cost.json() });
  }
}

/** What a bucket has: all, of each group that is shown, and of all other groups. */
class BucketTally {
  readonly #total = new SeriesTally();
  /** By rank. */
  readonly #groups: SeriesTally[] = [];

  /**
   * @param rank of the group; {@link OTHER} when it is not shown
   * @returns whether it is the first of its group
   */
  add(parts: Parts, row: number, rank: number): boolean {
    this.#total.add(parts, row);
    const isFirst = this.#groups[rank] === undefined;
    this.#groups[rank] ??= new SeriesTally();
    this.#groups[rank].add(parts, row);
    return isFirst;
  }

  total(): Series {
    return this.#total.json();
  }

  /** @param shown the groups' ranks and keys, in the order of the answer */
  split(by: GroupField, shown: ReadonlyMap<number, Cell>): Pick<Bucket, "groups" | "other"> {
    return {
      groups: [...shown].flatMap(([rank, key]) => {
        const group = this.#groups[rank];
        if (group === undefined) return [];
        return Object.assign({ key: { [by]: key as string | number | null } }, group.json());
      }),
      other: this.#groups[OTHER]?.json() ?? null,
    };
  }
}

/** Counts events over time: the database counts base buckets, which the zone's buckets are made of. */
export async function timeseries(
  snapshot: Snapshot,
  request: TimeseriesRequest,
  maxPoints = MAX_POINTS,
): Promise<TimeseriesAnswer> {
  const { filter, interval, zone, by, limit } = request;
  const starts = await bucketStarts(snapshot, request);
  const keys = by === null || starts.length === 0 ? [] : await splitKeys(snapshot, request, by);
  const baseMillis = baseOf(starts, interval, zone);
  const grouping = { filter, by: by === null ? [] : [by] };
  const baseNanos = BigInt(baseMillis) * 1_000_000n;
  const pieces = piecesOf(snapshot, filter, grouping.by, baseNanos);
  const parts = (await snapshot.queryColumns(
    seriesSql(pieces, grouping, keys, baseNanos),
  )) as unknown as Parts;
  const [bases, ranks] = parts;
  const shown = shownGroups(parts, keys, limit);
  const buckets = starts.map((start) => ({ start, tally: new BucketTally() }));
  let [first, last] = [buckets.length, -1];
  let points = 0;
  for (const [row, base] of bases.entries()) {
    const at = indexAtOrBefore(starts, base * baseMillis);
    const rank = ranks[row] as number;
    const isPoint = buckets[at]?.tally.add(parts, row, shown.has(rank) ? rank : OTHER);
    if (isPoint && ++points > maxPoints) throw tooMany(`${maxPoints} groups in all buckets`);
    first = Math.min(first, at);
    last = Math.max(last, at);
  }
  const begin = filter.fromNano === null ? first : 0;
  const end = filter.toNano === null ? last + 1 : buckets.length;
  return {
    interval: interval.text,
    tz: zone.name,
    buckets: buckets.slice(begin, end).map(({ start, tally }) => ({
      start: formatTime(BigInt(start) * 1_000_000n),
      ...tally.total(),
      ...(by === null ? {} : tally.split(by, shown)),
    })),
    applied_seq: Number(snapshot.appliedSeq),
  };
}

/** Finds the groups that are shown, the largest first: ranks and keys. */
function shownGroups(
  [, ranks, , counts]: Parts,
  keys: readonly Cell[][],
  limit: number,
): ReadonlyMap<number, Cell> {
  const groups = keys.map(([key = null], i) => ({ rank: i + 1, key, count: 0 }));
  for (const [row, rank] of ranks.entries()) {
    const group = groups[rank - 1];
    if (group !== undefined) group.count += counts[row] as number;
  }
  const shown = groups
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || compareKeys(a.key, b.key))
    .slice(0, limit);
  return new Map(shown.map(({ rank, key }) => [rank, key]));
}

/** As the database orders them: by the bytes of their text, absent ones last. */
function compareKeys(a: Cell, b: Cell): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

/** Keys that the database tells apart: all of a closed list, else the most frequent. */
async function splitKeys(
  snapshot: Snapshot,
  { filter, limit }: TimeseriesRequest,
  by: GroupField,
): Promise<Cell[][]> {
  return (
    closedKeys(by) ??
    (await snapshot.query(frequentValuesSql(piecesOf(snapshot, filter, [by]), filter, by, limit)))
  );
}

/** The longest base bucket, ms, of which every bucket has whole ones, whatever the zone's clock does. */
function baseOf(starts: readonly number[], interval: Interval, zone: Zone): number {
  const last = starts.at(-1);
  if (last === undefined) return 1;
  return [...starts, nextBucket(last, interval, zone)].reduce(greatestCommonDivisor);
}

/** East of Greenwich the first bucket begins before 1970. */
function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : greatestCommonDivisor(b, a % b);
}

/** Finds the place of the bucket that holds an instant of one of them. */
function indexAtOrBefore(starts: readonly number[], millis: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] as number) <= millis) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** ms, both inclusive. */
interface Range {
  first: number;
  last: number;
}

/**
 * Lists the buckets from the first that was asked for to the last. Where a side is open, the segments' bounds will do: there
 * may be buckets before the first event and after the last.
 */
async function bucketStarts(
  snapshot: Snapshot,
  { filter, interval, zone }: TimeseriesRequest,
): Promise<number[]> {
  const hull = rangeOf(filter, boundsOf(snapshot));
  const starts = startsWithin(hull, interval, zone);
  if (starts !== null) return starts;
  // Event times are the senders': one that the filter leaves out may be far off.
  const [row] = await snapshot.query(timeRangeSql(piecesOf(snapshot, filter, []), filter));
  const [first = null, last = null] = (row ?? []) as (bigint | null)[];
  const exact = startsWithin(rangeOf(filter, { first, last }), interval, zone);
  if (exact !== null) return exact;
  throw tooMany(`${MAX_BUCKETS} buckets`);
}

function tooMany(what: string): BadRequestError {
  return new BadRequestError(
    "too_many_buckets",
    `the series would have more than ${what}`,
    "choose a longer interval, a shorter range or a lower limit",
  );
}

/** Least and greatest event time, ns, as far as known. */
interface Bounds {
  first: bigint | null;
  last: bigint | null;
}

function boundsOf({ segments }: Snapshot): Bounds {
  let first: bigint | null = null;
  let last: bigint | null = null;
  for (const { minTime, maxTime } of segments) {
    if (minTime !== null && (first === null || minTime < first)) first = minTime;
    if (maxTime !== null && (last === null || maxTime > last)) last = maxTime;
  }
  return { first, last };
}

/** The range that was asked for; where a side is open, up to the bound. */
function rangeOf({ fromNano, toNano }: Filter, bounds: Bounds): Range | null {
  const first = fromNano ?? bounds.first;
  const last = toNano === null ? bounds.last : toNano - 1n;
  if (first === null || last === null || first > last) return null;
  return { first: Number(first / 1_000_000n), last: Number(last / 1_000_000n) };
}

/** Lists the buckets of a range; `null` when they are too many. */
function startsWithin(range: Range | null, interval: Interval, zone: Zone): number[] | null {
  const starts: number[] = [];
  if (range === null) return starts;
  // Told at once where it is certain: to walk a zone's days takes most of a second.
  if ((range.last - range.first) / longestMillis(interval) > MAX_BUCKETS) return null;
  for (let at = bucketStart(range.first, interval, zone); at <= range.last; ) {
    starts.push(at);
    if (starts.length > MAX_BUCKETS) return null;
    at = nextBucket(at, interval, zone);
  }
  return starts;
}
