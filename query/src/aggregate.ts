import { millisFromNanos } from "@agent-audit/schema";
import type { Cell, Column, Snapshot } from "@agent-audit/store";
import { GROUP_FIELDS, type GroupField } from "./fields.js";
import { type Cost, CostTally, type Sums, SumsTally } from "./measures.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { piecesOf, rowsOnly } from "./pieces.js";
import { BadRequestError } from "./query-error.js";
import { GROUP_ORDERS, type GroupsRequest } from "./request.js";
import { durationsSql, groupsSql, OTHER } from "./sql/groups-sql.js";
import { SUMS_CELLS } from "./sql/measures-sql.js";

interface Durations {
  avg: number | null;
  p50: number | null;
  p95: number | null;
  max: number | null;
}

export interface Measures extends Sums {
  bytes: number;
  duration_ms: Durations;
  cost: Cost[];
}

export interface AggregateAnswer {
  groups: ({ key: Record<string, string | number | null> } & Measures)[];
  other: Measures | null;
  total: Measures;
  applied_seq: number;
}

/** Reads the parameters of `GET /aggregate`. @throws BadRequestError */
export function parseAggregateRequest(parameters: Parameters, now: bigint): GroupsRequest {
  const by = parameters.all("by").map((name) => groupField("by", name));
  if (by.length < 1 || by.length > 3 || new Set(by).size < by.length) {
    throw new BadRequestError(
      "invalid_by",
      by.length === 0 ? "by is missing" : `by=${by.join(" by=")} are not one to three fields`,
      `give one to three different fields of ${GROUP_FIELDS.join(", ")}`,
    );
  }
  const limit = parameters.integer("limit", 1, 1000, 100);
  const orderBy = parameters.choice("order_by", GROUP_ORDERS, "count");
  return { filter: parseFilter(parameters, now), by, limit, orderBy };
}

/** Checks the name of a field to group by. */
export function groupField(parameter: string, name: string): GroupField {
  if ((GROUP_FIELDS as readonly string[]).includes(name)) return name as GroupField;
  throw new BadRequestError(
    `invalid_${parameter}`,
    `${parameter}=${name.slice(0, 40)} is no field to group by`,
    `use one of ${GROUP_FIELDS.join(", ")}`,
  );
}

/** Collects the events of one rank, or of all. */
class Tally {
  key: Cell[] = [];
  readonly sums = new SumsTally();
  readonly cost = new CostTally();
}

/** Groups events: sums in one pass over all, percentiles in a second for the largest groups, the rest and the total. */
export async function aggregate(
  snapshot: Snapshot,
  request: GroupsRequest,
): Promise<AggregateAnswer> {
  const { by } = request;
  const total = new Tally();
  const ranks = new Map<number, Tally>();
  const columns = await snapshot.queryColumns(
    groupsSql(piecesOf(snapshot, request.filter, by), request),
  );
  const [rankOf, ...cells] = columns as [Column, ...Column[]];
  const currencies = cells[by.length] as Cell[];
  const sumsAt = by.length + 1;
  for (let row = 0; row < rankOf.length; row++) {
    const rank = rankOf[row] as number;
    const tally = ranks.get(rank) ?? new Tally();
    ranks.set(rank, tally);
    tally.key = by.map((_, i) => (cells[i] as Cell[])[row] ?? null);
    for (const { sums, cost } of [tally, total]) {
      sums.add(cells, sumsAt, row);
      cost.add(currencies[row] ?? null, cells, sumsAt + SUMS_CELLS, row);
    }
  }
  const groups = [...ranks].filter(([rank]) => rank !== OTHER).sort(([a], [b]) => a - b);
  const keys = groups.map(([, { key }]) => key);
  const durations = await durationsByRank(snapshot, request, keys);
  const measuresOf = (rank: number | null, { sums, cost }: Tally): Measures => ({
    ...sums.json(),
    bytes: sums.bytes,
    duration_ms: durations.get(rank) ?? { avg: null, p50: null, p95: null, max: null },
    cost: cost.json(),
  });
  const other = ranks.get(OTHER);
  return {
    groups: groups.map(([rank, tally]) => ({
      key: Object.fromEntries(by.map((name, i) => [name, keyCell(tally.key[i] ?? null)])),
      ...measuresOf(rank, tally),
    })),
    other: other === undefined ? null : measuresOf(OTHER, other),
    total: measuresOf(null, total),
    applied_seq: Number(snapshot.appliedSeq),
  };
}

/** Durations of each rank, of {@link OTHER}, and under `null` of all events. */
async function durationsByRank(
  snapshot: Snapshot,
  request: GroupsRequest,
  keys: readonly Cell[][],
): Promise<Map<number | null, Durations>> {
  const rows = await snapshot.query(
    durationsSql(rowsOnly(snapshot, request.filter), request, keys),
  );
  return new Map(
    rows.map(([rank, isTotal, ...cells]) => {
      const [avg = null, p50 = null, p95 = null, max = null] = cells.map(millis);
      return [Number(isTotal) === 1 ? null : Number(rank), { avg, p50, p95, max }];
    }),
  );
}

function millis(cell: Cell): number | null {
  return cell === null ? null : millisFromNanos(Number(cell));
}

function keyCell(cell: Cell): string | number | null {
  return typeof cell === "bigint" ? Number(cell) : (cell as string | number | null);
}
