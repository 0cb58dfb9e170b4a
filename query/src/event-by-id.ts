import { AuditError, MAX_ID_BYTES } from "@agent-audit/schema";
import { type ReadScope, type Snapshot, type Store, tablesOf } from "@agent-audit/store";
import { rowsOf } from "./events.js";
import { BadRequestError } from "./query-error.js";
import { seqsSql } from "./sql/events-sql.js";

/** Ids that more than this many records share are listed up to here. */
const MAX_CONFLICTS = 100;

/**
 * Finds one event by its id or as `seq:1287`, with its content and the record as it was received.
 *
 * @returns JSON text, since the raw record is text that must not pass through JavaScript numbers
 * @throws BadRequestError `invalid_id`; AuditError `not_found`
 */
export async function findEvent(
  store: Store,
  snapshot: Snapshot,
  scope: ReadScope,
  id: string,
): Promise<string> {
  if (id === "" || Buffer.byteLength(id) > MAX_ID_BYTES) {
    throw new BadRequestError("invalid_id", `an id has 1 to ${MAX_ID_BYTES} bytes`, "check the id");
  }
  const bySeq = /^seq:(\d{1,18})$/.exec(id);
  const named = bySeq === null ? { id } : { seq: BigInt(bySeq[1] as string) };
  const found = await seqsOf(snapshot, scope, named);
  const [first] = found;
  const [event] = first === undefined ? [] : await rowsOf(snapshot, [first], true);
  if (first === undefined || event === undefined) {
    throw new AuditError(
      "not_found",
      `no event has the id ${id}`,
      "list events with /api/v1/events",
    );
  }
  const sameId = "id" in named ? found : await seqsOf(snapshot, scope, { id: event.id as string });
  const conflicts = sameId.filter((seq) => seq !== first).map(Number);
  const raw = await store.rawRecord(first);
  const head = JSON.stringify({ ...event, conflicts });
  const rawJson =
    raw === null
      ? "null"
      : `{"resource":${raw.resource},"scope":${raw.scope},"log_record":${raw.logRecord}}`;
  return `${head.slice(0, -1)},"raw":${rawJson}}`;
}

async function seqsOf(
  snapshot: Snapshot,
  scope: ReadScope,
  named: { id: string } | { seq: bigint },
): Promise<bigint[]> {
  const holding = snapshot.segments.filter(
    ({ firstSeq, lastSeq }) => "id" in named || (named.seq >= firstSeq && named.seq <= lastSeq),
  );
  const rows = await snapshot.query(seqsSql(tablesOf(holding), named, scope, MAX_CONFLICTS + 1));
  return rows.map(([seq]) => seq as bigint);
}
