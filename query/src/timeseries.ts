import type { Cell, Snapshot } from "@agent-audit/store";
import { groupField } from "./aggregate.js";
import { bucketStart, type Interval, nextBucket, parseInterval } from "./buckets.js";
import type { GroupField } from "./fields.js";
import { addSums, type Cost, CostTally, SUMS_CELLS, type Sums, sumsOf } from "./measures.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import type { Filter, TimeseriesRequest } from "./request.js";
import { largestGroupsSql, seriesSql, timeRangeSql } from "./sql/groups-sql.js";
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

/** Collects the events of one bucket, or of one group in it. */
class Tally {
  sums = sumsOf(new Array(SUMS_CELLS).fill(0));
  readonly cost = new CostTally();

  add(sums: Sums, currency: Cell, costCells: readonly Cell[]): void {
    this.sums = addSums(this.sums, sums);
    this.cost.add(currency, costCells);
  }

  json(): Series {
    const { bytes: _, ...sums } = this.sums;
    return { ...sums, cost: this.cost.json() };
  }
}

interface BaseRow {
  start: number;
  rank: number;
  sums: Sums;
  currency: Cell;
  cost: Cell[];
}

interface BucketTallies {
  all: Tally;
  /** By rank; rank 0 is what the split's limit cut off. */
  groups: Tally[];
}

/** Counts events over time: the database counts base buckets, which the zone's buckets are made of. */
export async function timeseries(
  snapshot: Snapshot,
  request: TimeseriesRequest,
): Promise<TimeseriesAnswer> {
  const { interval, zone, by } = request;
  const buckets = new Map<number, BucketTallies>();
  // Counted before anything is read: event times are the senders'.
  const starts = bucketStarts(await timeRange(snapshot, request.filter), interval, zone);
  const keys = by === null || starts.length === 0 ? [] : await splitKeys(snapshot, request, by);
  for (const start of starts) {
    const groups = Array.from({ length: keys.length + 1 }, () => new Tally());
    buckets.set(start, { all: new Tally(), groups });
  }
  const bucketOf = new Map<number, BucketTallies | undefined>();
  const rows = starts.length === 0 ? [] : await baseRows(snapshot, request, keys);
  for (const { start, rank, sums, currency, cost } of rows) {
    if (!bucketOf.has(start)) {
      bucketOf.set(start, buckets.get(bucketStart(start, interval, zone)));
    }
    const bucket = bucketOf.get(start);
    bucket?.all.add(sums, currency, cost);
    bucket?.groups[rank]?.add(sums, currency, cost);
  }
  return {
    interval: interval.text,
    tz: zone.name,
    buckets: [...buckets].map(([start, tallies]) => ({
      start: formatTime(BigInt(start) * 1_000_000n),
      ...tallies.all.json(),
      ...(by === null ? {} : splitJson(by, keys, tallies.groups)),
    })),
    applied_seq: Number(snapshot.appliedSeq),
  };
}

function splitJson(by: GroupField, keys: readonly Cell[][], groups: readonly Tally[]) {
  const [other, ...named] = groups as [Tally, ...Tally[]];
  return {
    groups: named.flatMap((tally, i) => {
      if (tally.sums.count === 0) return [];
      return [{ key: { [by]: (keys[i]?.[0] ?? null) as string | number | null }, ...tally.json() }];
    }),
    other: other.sums.count > 0 ? other.json() : null,
  };
}

async function splitKeys(
  snapshot: Snapshot,
  { filter, limit }: TimeseriesRequest,
  by: GroupField,
): Promise<Cell[][]> {
  return await snapshot.query(
    largestGroupsSql(snapshot, { filter, by: [by], limit, orderBy: "count" }),
  );
}

async function baseRows(
  snapshot: Snapshot,
  { filter, interval, by }: TimeseriesRequest,
  keys: readonly Cell[][],
): Promise<BaseRow[]> {
  const grouping = { filter, by: by === null ? [] : [by] };
  const baseNanos = BigInt(interval.baseMillis) * 1_000_000n;
  const rows = await snapshot.query(seriesSql(snapshot, grouping, keys, baseNanos));
  return rows.map(([base = null, rank = null, currency = null, ...cells]) => ({
    start: Number(base as bigint) * interval.baseMillis,
    rank: Number(rank),
    currency,
    sums: sumsOf(cells),
    cost: cells.slice(SUMS_CELLS),
  }));
}

/** The range that was asked for, an open side ending at the first or last event; ms, both inclusive. */
async function timeRange(
  snapshot: Snapshot,
  filter: Filter,
): Promise<{ first: number; last: number } | null> {
  const [row] = await snapshot.query(timeRangeSql(snapshot, filter));
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
