import type { Cell, Snapshot } from "@agent-audit/store";
import { groupField } from "./aggregate.js";
import { bucketStart, type Interval, nextBucket, parseInterval } from "./buckets.js";
import type { GroupField } from "./fields.js";
import type { Filter } from "./filter.js";
import {
  addSums,
  COST_SQL,
  type Cost,
  CostTally,
  MEASURE_COLUMNS,
  SUMS_CELLS,
  SUMS_SQL,
  type Sums,
  sumsOf,
} from "./measures.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { fieldExpression, SqlBuilder } from "./sql.js";
import { formatTime } from "./time.js";
import { Zone } from "./zone.js";

const MAX_BUCKETS = 10_000;

export interface TimeseriesRequest {
  filter: Filter;
  interval: Interval;
  by: GroupField | null;
  /** Groups of the split; the rest is `other`. */
  limit: number;
  zone: Zone;
}

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
  key: string | number | null;
  sums: Sums;
  currency: Cell;
  cost: Cell[];
}

/** Counts events over time: the database counts base buckets, which the zone's buckets are made of. */
export async function timeseries(
  snapshot: Snapshot,
  request: TimeseriesRequest,
): Promise<TimeseriesAnswer> {
  const { interval, zone, by, limit, filter } = request;
  const rows = await baseRows(snapshot, request);
  const top = by === null ? [] : largestKeys(rows, limit);
  const buckets = new Map<
    number,
    { all: Tally; groups: Map<BaseRow["key"], Tally>; other: Tally }
  >();
  for (const start of bucketStarts(filter, rows, interval, zone)) {
    const groups = new Map(top.map((key) => [key, new Tally()]));
    buckets.set(start, { all: new Tally(), groups, other: new Tally() });
  }
  for (const { start, key, sums, currency, cost } of rows) {
    const bucket = buckets.get(bucketStart(start, interval, zone));
    bucket?.all.add(sums, currency, cost);
    if (by !== null) (bucket?.groups.get(key) ?? bucket?.other)?.add(sums, currency, cost);
  }
  return {
    interval: interval.text,
    tz: zone.name,
    buckets: [...buckets].map(([start, { all, groups, other }]) => ({
      start: formatTime(BigInt(start) * 1_000_000n),
      ...all.json(),
      ...(by === null
        ? {}
        : {
            groups: [...groups]
              .filter(([, tally]) => tally.sums.count > 0)
              .map(([key, tally]) => ({ key: { [by]: key }, ...tally.json() })),
            other: other.sums.count > 0 ? other.json() : null,
          }),
    })),
    applied_seq: Number(snapshot.appliedSeq),
  };
}

async function baseRows(snapshot: Snapshot, request: TimeseriesRequest): Promise<BaseRow[]> {
  const { filter, interval, by } = request;
  const sql = new SqlBuilder();
  const key = by === null ? "NULL AS k" : `${fieldExpression(by)} AS k`;
  const where = sql.where(filter, snapshot.appliedSeq);
  const baseNanos = BigInt(interval.baseMillis) * 1_000_000n;
  const rows = await snapshot.query({
    sql: `SELECT time // ${baseNanos}::UBIGINT AS base, k, currency, ${SUMS_SQL}, ${COST_SQL} FROM ${sql.from(snapshot, ["time", key, ...MEASURE_COLUMNS], where)} GROUP BY base, k, currency`,
    values: sql.values,
  });
  return rows.map(([base = null, groupKey = null, currency = null, ...cells]) => ({
    start: Number(base as bigint) * interval.baseMillis,
    key: groupKey as BaseRow["key"],
    currency,
    sums: sumsOf(cells),
    cost: cells.slice(SUMS_CELLS),
  }));
}

function largestKeys(rows: readonly BaseRow[], limit: number): BaseRow["key"][] {
  const counts = new Map<BaseRow["key"], number>();
  for (const { key, sums } of rows) counts.set(key, (counts.get(key) ?? 0) + sums.count);
  return [...counts]
    .sort(([a, n], [b, m]) => m - n || String(a).localeCompare(String(b)))
    .slice(0, limit)
    .map(([key]) => key);
}

/** Every bucket of the range, or without one from the first to the last event. */
function bucketStarts(
  { fromNano, toNano }: Filter,
  rows: readonly BaseRow[],
  interval: Interval,
  zone: Zone,
): number[] {
  let first = fromNano === null ? Number.POSITIVE_INFINITY : Number(fromNano / 1_000_000n);
  let last = toNano === null ? Number.NEGATIVE_INFINITY : Number((toNano - 1n) / 1_000_000n);
  for (const { start } of rows) {
    if (fromNano === null && start < first) first = start;
    if (toNano === null && start > last) last = start;
  }
  const starts: number[] = [];
  if (!(first <= last)) return starts;
  for (let at = bucketStart(first, interval, zone); at <= last; ) {
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
