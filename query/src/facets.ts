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

/** Counts the five breakdowns: one grouping by all five narrow columns, folded into each facet's largest values. */
export async function facets(snapshot: Snapshot, request: FacetsRequest): Promise<FacetsAnswer> {
  const sql = new SqlBuilder();
  const where = sql.where(request.filter, snapshot.appliedSeq);
  const columns = FACET_FIELDS.map((name) => `${fieldExpression(name)} AS ${name}`);
  const source = sql.from(snapshot, columns, where);
  const folded = FACET_FIELDS.map(
    (name, i) =>
      `(SELECT ${i}, ${name}::VARCHAR AS value, sum(n)::BIGINT AS total FROM g GROUP BY value ORDER BY total DESC, value LIMIT ${request.limit})`,
  );
  const rows = await snapshot.query({
    sql: `WITH g AS MATERIALIZED (SELECT ${FACET_FIELDS.join(", ")}, count(*) AS n FROM ${source} GROUP BY ALL) ${folded.join(" UNION ALL ")} UNION ALL (SELECT ${FACET_FIELDS.length}, NULL, coalesce(sum(n), 0)::BIGINT FROM g)`,
    values: sql.values,
  });
  const at = (index: number) =>
    rows
      .filter(([facet]) => Number(facet) === index)
      .map(([, value, count]) => ({ value: value as string | null, count: Number(count) }));
  return {
    facets: Object.fromEntries(FACET_FIELDS.map((name, i) => [name, at(i)])),
    total: at(FACET_FIELDS.length)[0]?.count ?? 0,
    applied_seq: Number(snapshot.appliedSeq),
  };
}
