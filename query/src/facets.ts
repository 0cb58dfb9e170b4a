import type { Snapshot } from "@agent-audit/store";
import { FACET_FIELDS } from "./fields.js";
import { type Parameters, parseFilter } from "./parse-filter.js";
import { piecesOf } from "./pieces.js";
import type { FacetsRequest } from "./request.js";
import { facetsSql } from "./sql/groups-sql.js";

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

/** Counts the five breakdowns. */
export async function facets(snapshot: Snapshot, request: FacetsRequest): Promise<FacetsAnswer> {
  const rows = await snapshot.query(
    facetsSql(piecesOf(snapshot, request.filter, FACET_FIELDS), request),
  );
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
