import { AuditError } from "@agent-audit/schema";
import type {
  QuarantineEntry,
  QuarantinePage,
  QuarantinePlace,
  ReadScope,
} from "@agent-audit/store";
import type { Parameters } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { formatTime } from "./time.js";

/** What the quarantine is read from: a store, or a journal of which no server is running. */
export interface QuarantineReader {
  quarantine(
    before: QuarantinePlace | null,
    limit: number,
    scope?: ReadScope,
  ): Promise<QuarantinePage>;
  quarantineEntry(place: QuarantinePlace, scope?: ReadScope): Promise<QuarantineEntry | null>;
}

export interface QuarantineEntryJson {
  /** Names the entry in `GET /quarantine/{id}`. */
  id: string;
  /** Sequence of the last record that was stored before; 0 for none. */
  after_seq: number;
  received_time: string;
  reason: string;
  key_id: string | null;
  /** What came, base64: one record's bytes, or the whole body that could not be read. */
  bytes: string;
}

export interface QuarantineAnswer {
  entries: QuarantineEntryJson[];
  next_cursor: string | null;
}

export interface QuarantineRequest {
  limit: number;
  cursor: string | null;
  scope?: ReadScope;
}

/** Reads the parameters of `GET /quarantine`. @throws BadRequestError */
export function parseQuarantineRequest(parameters: Parameters): QuarantineRequest {
  const limit = parameters.integer("limit", 1, 200, 50);
  const cursor = parameters.one("cursor");
  parameters.end(["limit", "cursor"]);
  return { limit, cursor, scope: parameters.scope };
}

/** Makes the answer of `GET /quarantine`. @throws BadRequestError `invalid_cursor` */
export async function quarantinePage(
  reader: QuarantineReader,
  { cursor, limit, scope }: QuarantineRequest,
): Promise<QuarantineAnswer> {
  const before = cursor === null ? null : placeOf(cursor);
  if (cursor !== null && before === null) {
    throw new BadRequestError(
      "invalid_cursor",
      "the cursor is not one of this server's",
      "start again without cursor",
    );
  }
  const { entries, next } = await reader.quarantine(before, limit, scope);
  return { entries: entries.map(entryJson), next_cursor: next && textOf(next) };
}

/** Makes the answer of `GET /quarantine/{id}`. @throws AuditError `not_found` */
export async function quarantineEntry(
  reader: QuarantineReader,
  id: string,
  scope?: ReadScope,
): Promise<QuarantineEntryJson> {
  const place = placeOf(id);
  const entry = place && (await reader.quarantineEntry(place, scope));
  if (entry !== null) return entryJson(entry);
  throw new AuditError(
    "not_found",
    `nothing was set aside under ${id.slice(0, 40)}`,
    "GET /api/v1/quarantine lists what there is",
  );
}

function entryJson(entry: QuarantineEntry): QuarantineEntryJson {
  return {
    id: textOf(entry),
    after_seq: Number(entry.afterSeq),
    received_time: formatTime(entry.receivedNano),
    reason: entry.reason,
    key_id: entry.keyId === "" ? null : entry.keyId,
    bytes: Buffer.from(entry.bytes).toString("base64"),
  };
}

function textOf({ fileSeq, offset }: QuarantinePlace): string {
  return `${fileSeq}-${offset}`;
}

function placeOf(text: string): QuarantinePlace | null {
  const match = /^(\d{1,19})-(\d{1,15})$/.exec(text);
  return match && { fileSeq: BigInt(match[1] as string), offset: Number(match[2]) };
}
