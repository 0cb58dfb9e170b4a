import type { Cell, Snapshot } from "@agent-audit/store";
import { groupField } from "./aggregate.js";
import { bucketStart, type Interval, nextBucket, parseInterval } from "./buckets.js";
import type { GroupField } from "./fields.js";
import { type Cost, CostTally, type Sums, SumsTally } from "./measures.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { piecesOf } from "./pieces.js";
import { BadRequestError } from "./query-error.js";
import type { Filter, TimeseriesRequest } from "./request.js";
import { closedKeys, frequentValuesSql, seriesSql, timeRangeSql } from "./sql/groups-sql.js";
import { SUMS_CELLS } from "./sql/measures-sql.js";
import { formatTime } from "./time.js";
import { Zone } from "./zone.js";

const MAX_BUCKETS = 10_000;

type Series = Omit<Sums, "bytes"> & { cost: Cost[] };

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

/** What the database gives of a base bucket: its number, rank, currency, sums, cost. */
type Part = readonly Cell[];
const CURRENCY = 2;
const SUMS = 3;

/** Adds up what a bucket, or a group in it, has. */
class SeriesTally {
  readonly #sums = new SumsTally();
  readonly #cost = new CostTally();

  add(part: Part): void {
    this.#sums.add(part, SUMS);
    this.#cost.add(part[CURRENCY] ?? null, part, SUMS + SUMS_CELLS);
  }

  json(): Series {
    const { bytes: _, ...series } = this.#sums.json();
    return { ...series, cost: this.#cost.json() };
  }
}

function seriesOf(parts: readonly Part[]): Series {
  const tally = new SeriesTally();
  for (const part of parts) tally.add(part);
  return tally.json();
}

/** A group of the split, and what each bucket has of it. */
interface Group {
  key: Cell;
  count: number;
  buckets: Map<number, Part[]>;
}

/** Counts events over time: the database counts base buckets, which the zone's buckets are made of. */
export async function timeseries(
  snapshot: Snapshot,
  request: TimeseriesRequest,
): Promise<TimeseriesAnswer> {
  const { filter, interval, zone, by, limit } = request;
  // Counted before anything is read: event times are the senders'.
  const starts = bucketStarts(await timeRange(snapshot, filter), interval, zone);
  const keys = by === null || starts.length === 0 ? [] : await splitKeys(snapshot, request, by);
  const baseMillis = baseOf(starts, interval, zone);
  const grouping = { filter, by: by === null ? [] : [by] };
  const baseNanos = BigInt(baseMillis) * 1_000_000n;
  const pieces = piecesOf(snapshot, filter, grouping.by, baseNanos);
  const statement = seriesSql(pieces, grouping, keys, baseNanos);
  const rows = starts.length === 0 ? [] : await snapshot.query(statement);
  const groups = [null, ...keys.map(([key = null]) => key)].map(
    (key): Group => ({ key, count: 0, buckets: new Map() }),
  );
  const totals = new Map(starts.map((start) => [start, new SeriesTally()]));
  for (const part of rows) {
    const [base = 0, rank = 0] = part as number[];
    const start = startAtOrBefore(starts, base * baseMillis);
    totals.get(start)?.add(part);
    const group = groups[rank] as Group;
    const parts = group.buckets.get(start);
    if (parts === undefined) group.buckets.set(start, [part]);
    else parts.push(part);
    group.count += part[SUMS] as number;
  }
  const { named, rest } = cutTo(limit, groups);
  return {
    interval: interval.text,
    tz: zone.name,
    buckets: [...totals].map(([start, total]) => ({
      start: formatTime(BigInt(start) * 1_000_000n),
      ...total.json(),
      ...(by === null ? {} : splitJson(by, start, named, rest)),
    })),
    applied_seq: Number(snapshot.appliedSeq),
  };
}

/** Parts the groups that are shown, the largest first, from all others, the first of which has no key. */
function cutTo(
  limit: number,
  [keyless, ...keyed]: readonly Group[],
): { named: Group[]; rest: Group[] } {
  const sorted = keyed
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || compareKeys(a.key, b.key));
  return { named: sorted.slice(0, limit), rest: [keyless as Group, ...sorted.slice(limit)] };
}

/** As the database orders them: by the bytes of their text, absent ones last. */
function compareKeys(a: Cell, b: Cell): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function splitJson(
  by: GroupField,
  start: number,
  named: readonly Group[],
  rest: readonly Group[],
): Pick<Bucket, "groups" | "other"> {
  const others = partsOf(rest, start);
  return {
    groups: named.flatMap((group) => {
      const parts = partsOf([group], start);
      if (parts.length === 0) return [];
      return [{ key: { [by]: group.key as string | number | null }, ...seriesOf(parts) }];
    }),
    other: others.length === 0 ? null : seriesOf(others),
  };
}

function partsOf(groups: readonly Group[], start: number): Part[] {
  return groups.flatMap(({ buckets }) => buckets.get(start) ?? []);
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

/** Finds the bucket of an instant that lies in one. */
function startAtOrBefore(starts: readonly number[], millis: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] as number) <= millis) low = middle;
    else high = middle - 1;
  }
  return starts[low] as number;
}

/** The range that was asked for, an open side ending at the first or last event; ms, both inclusive. */
async function timeRange(
  snapshot: Snapshot,
  filter: Filter,
): Promise<{ first: number; last: number } | null> {
  const isOpen = filter.fromNano === null || filter.toNano === null;
  const [row] = isOpen
    ? await snapshot.query(timeRangeSql(piecesOf(snapshot, filter, []), filter))
    : [];
  const [min = null, max = null] = row ?? [];
  const first = filter.fromNano ?? (min as bigint | null);
  const last = filter.toNano === null ? (max as bigint | null) : filter.toNano - 1n;
  if (first === null || last === null || first > last) return null;
  return { first: Number(first / 1_000_000n), last: Number(last / 1_000_000n) };
}

function bucketStarts(
  range: { first: number; last: number } | null,
  interval: Interval,
  zone: Zone,
): number[] {
  const starts: number[] = [];
  if (range === null) return starts;
  for (let at = bucketStart(range.first, interval, zone); at <= range.last; ) {
    starts.push(at);
    if (starts.length > MAX_BUCKETS) {
      throw new BadRequestError(
        "too_many_buckets",
        `the series would have more than ${MAX_BUCKETS} buckets`,
        "choose a longer interval or a shorter range",
      );
    }
    at = nextBucket(at, interval, zone);
  }
  return starts;
}
