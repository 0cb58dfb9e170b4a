import { createHash } from "node:crypto";
import { BadRequestError } from "./query-error.js";

const VERSION = 2;

/** Says where a walk over pages goes on, and over which set. */
export interface Cursor {
  /** Set that the first page pinned. */
  maxSeq: bigint;
  fromNano: bigint | null;
  toNano: bigint | null;
  /** Last event given, or, of a partial page, how far was looked. */
  time: bigint;
  seq: bigint;
}

/** What a cursor is bound to. */
export interface Walk {
  storeId: string;
  /** Of the parameters that decide which events the walk yields and in which order. */
  filterDigest: string;
}

/** Tells the walk that a request's parameters belong to. */
export function walkOf(search: URLSearchParams, storeId: string): Walk {
  const parts = [...search]
    .filter(
      ([name]) => name !== "cursor" && name !== "limit" && name !== "fields" && name !== "min_seq",
    )
    .map(([name, value]) => JSON.stringify([name, value]))
    .sort();
  return { storeId, filterDigest: digestOf(parts.join()).slice(0, 16) };
}

export function encodeCursor(cursor: Cursor, { storeId, filterDigest }: Walk): string {
  const { maxSeq, fromNano, toNano, time, seq } = cursor;
  const fields = [VERSION, filterDigest, maxSeq, fromNano ?? "", toNano ?? "", time, seq];
  const text = fields.join("~");
  return Buffer.from(`${text}~${checkOf(text, storeId)}`).toString("base64url");
}

/** A cursor that was cut, or is another server's, would else go on somewhere. */
function checkOf(fields: string, storeId: string): string {
  return digestOf(`${storeId}~${fields}`).slice(0, 8);
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** @throws BadRequestError `invalid_cursor`, `cursor_mismatch` */
export function decodeCursor(text: string, { storeId, filterDigest }: Walk): Cursor {
  const decoded = Buffer.from(text, "base64url").toString("utf8");
  const checkAt = decoded.lastIndexOf("~");
  const [version, filter, ...numbers] = decoded.slice(0, checkAt).split("~");
  const isWhole =
    decoded.slice(checkAt + 1) === checkOf(decoded.slice(0, checkAt), storeId) &&
    numbers.length === 5 &&
    numbers.every(isNumber);
  if (version !== String(VERSION) || !isWhole) {
    throw new BadRequestError(
      "invalid_cursor",
      "the cursor is not one of this server's",
      "start again without cursor",
    );
  }
  if (filter !== filterDigest) {
    throw new BadRequestError(
      "cursor_mismatch",
      "the cursor belongs to another filter or order",
      "send the cursor with the parameters of the request that gave it",
    );
  }
  const [maxSeq, fromNano, toNano, time, seq] = numbers as [string, string, string, string, string];
  return {
    maxSeq: BigInt(maxSeq),
    fromNano: fromNano === "" ? null : BigInt(fromNano),
    toNano: toNano === "" ? null : BigInt(toNano),
    time: BigInt(time),
    seq: BigInt(seq),
  };
}

/** Places 0 and 4 are sequences (int64), 1 to 3 times (uint64), of which 1 and 2 may be open. */
function isNumber(text: string, index: number): boolean {
  if (text === "") return index === 1 || index === 2;
  const bits = index === 0 || index === 4 ? 63n : 64n;
  return /^\d{1,20}$/.test(text) && BigInt(text) < 2n ** bits;
}
