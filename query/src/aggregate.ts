import { millisFromNanos } from "@agent-audit/schema";
import type { Cell, Snapshot } from "@agent-audit/store";
import { GROUP_FIELDS, type GroupField } from "./fields.js";
import { COST_CELLS, type Cost, CostTally, SUMS_CELLS, type Sums, sumsOf } from "./measures.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { GROUP_ORDERS, type GroupsRequest } from "./request.js";
import { costsSql, largestGroupsSql, measuresSql, OTHER } from "./sql/groups-sql.js";

export interface Measures extends Sums {
  duration_ms: { avg: number | null; p50: number | null; p95: number | null; max: number | null };
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
      `by is given ${by.length} times`,
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

/**
 * Groups events. The limit picks the largest groups first; percentiles, which need every duration in
 * memory, are computed for those alone.
 */
export async function aggregate(
  snapshot: Snapshot,
  request: GroupsRequest,
): Promise<AggregateAnswer> {
  const keys = await snapshot.query(largestGroupsSql(snapshot, request));
  const measures = await measuresByRank(snapshot, request, keys);
  const costs = await costsByRank(snapshot, request, keys);
  const at = (rank: number | null): Measures | null => {
    const found = measures.get(rank);
    return found === undefined ? null : { ...found, cost: costs.get(rank)?.json() ?? [] };
  };
  return {
    groups: keys.flatMap((key, index) => {
      const group = at(index + 1);
      const named = Object.fromEntries(
        request.by.map((name, i) => [name, keyCell(key[i] ?? null)]),
      );
      return group === null ? [] : [{ key: named, ...group }];
    }),
    other: at(OTHER),
    total: at(null) ?? { ...EMPTY, cost: [] },
    applied_seq: Number(snapshot.appliedSeq),
  };
}

const EMPTY: Omit<Measures, "cost"> = {
  ...sumsOf(new Array(SUMS_CELLS).fill(0)),
  duration_ms: { avg: null, p50: null, p95: null, max: null },
};

/** Measures of each rank, of {@link OTHER}, and under `null` of all events. */
async function measuresByRank(
  snapshot: Snapshot,
  request: GroupsRequest,
  keys: readonly Cell[][],
): Promise<Map<number | null, Omit<Measures, "cost">>> {
  const rows = await snapshot.query(measuresSql(snapshot, request, keys));
  return new Map(
    rows
      .filter((row) => Number(row[2]) > 0)
      .map((row) => {
        const [rank, isTotal, ...cells] = row;
        const [avg, p50, p95, max] = cells.slice(SUMS_CELLS).map(millis) as [
          number | null,
          number | null,
          number | null,
          number | null,
        ];
        return [
          Number(isTotal) === 1 ? null : Number(rank),
          { ...sumsOf(cells), duration_ms: { avg, p50, p95, max } },
        ];
      }),
  );
}

async function costsByRank(
  snapshot: Snapshot,
  request: GroupsRequest,
  keys: readonly Cell[][],
): Promise<Map<number | null, CostTally>> {
  const rows = await snapshot.query(costsSql(snapshot, request, keys));
  const tallies = new Map<number | null, CostTally>();
  for (const [rank = null, currency = null, ...cells] of rows) {
    for (const key of [Number(rank), null]) {
      const tally = tallies.get(key) ?? new CostTally();
      tally.add(currency, cells.slice(0, COST_CELLS));
      tallies.set(key, tally);
    }
  }
  return tallies;
}

function millis(cell: Cell): number | null {
  return cell === null ? null : millisFromNanos(Number(cell));
}

function keyCell(cell: Cell): string | number | null {
  return typeof cell === "bigint" ? Number(cell) : (cell as string | number | null);
}
