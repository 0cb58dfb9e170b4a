import type { Snapshot } from "@agent-audit/store";
import { FACET_FIELDS } from "./fields.js";
import type { Filter } from "./filter.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { fieldExpression, SqlBuilder } from "./sql.js";

export interface FacetsRequest {
  filter: Filter;
  limit: number;
}

export interface FacetsAnswer {
  facets: Record<string, { value: string | null; count: number }[]>;
  total: number;
  applied_seq: number;
}

/** Reads the parameters of `GET /facets`. @throws BadRequestError */
export function parseFacetsRequest(parameters: Parameters, now: bigint): FacetsRequest {
  const limit = parameters.integer("limit", 1, 1000, 20);
  return { limit, filter: parseFilter(parameters, now) };
}

/** Counts the five breakdowns: one grouping by all five narrow columns, folded here. */
export async function facets(snapshot: Snapshot, request: FacetsRequest): Promise<FacetsAnswer> {
  const sql = new SqlBuilder();
  const where = sql.where(request.filter, snapshot.appliedSeq);
  const columns = FACET_FIELDS.map((name) => `${fieldExpression(name)} AS ${name}`);
  const names = FACET_FIELDS.join(", ");
  const rows = await snapshot.query({
    sql: `SELECT ${names}, count(*) FROM ${sql.from(snapshot, columns, where)} GROUP BY ALL`,
    values: sql.values,
  });
  const counts = FACET_FIELDS.map(() => new Map<string | null, number>());
  let total = 0;
  for (const row of rows) {
    const count = Number(row.at(-1));
    total += count;
    counts.forEach((facet, i) => {
      const value = (row[i] ?? null) as string | null;
      facet.set(value, (facet.get(value) ?? 0) + count);
    });
  }
  const top = (facet: Map<string | null, number>) =>
    [...facet]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || String(a.value).localeCompare(String(b.value)))
      .slice(0, request.limit);
  return {
    facets: Object.fromEntries(
      FACET_FIELDS.map((name, i) => [name, top(counts[i] as Map<string | null, number>)]),
    ),
    total,
    applied_seq: Number(snapshot.appliedSeq),
  };
}
