import { createHash } from "node:crypto";
import { BadRequestError } from "./query-error.js";

const VERSION = 1;

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

/** Digests the parameters that decide which events a walk yields and in which order. */
export function filterDigest(search: URLSearchParams): string {
  const parts = [...search]
    .filter(
      ([name]) => name !== "cursor" && name !== "limit" && name !== "fields" && name !== "min_seq",
    )
    .map(([name, value]) => JSON.stringify([name, value]))
    .sort();
  return createHash("sha256").update(parts.join()).digest("base64url").slice(0, 16);
}

export function encodeCursor(cursor: Cursor, digest: string): string {
  const { maxSeq, fromNano, toNano, time, seq } = cursor;
  const fields = [VERSION, digest, maxSeq, fromNano ?? "", toNano ?? "", time, seq];
  return Buffer.from(fields.join("~")).toString("base64url");
}

/** @throws BadRequestError `invalid_cursor`, `cursor_mismatch` */
export function decodeCursor(text: string, digest: string): Cursor {
  const fields = Buffer.from(text, "base64url").toString("utf8").split("~");
  const [version, filter, ...numbers] = fields;
  const isWhole = numbers.length === 5 && numbers.every(isNumber);
  if (version !== String(VERSION) || !isWhole) {
    throw new BadRequestError(
      "invalid_cursor",
      "the cursor is not one of this server's",
      "start again without cursor",
    );
  }
  if (filter !== digest) {
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
