import crypto from "node:crypto";
import { crc32 } from "node:zlib";
import { asBuffer, type LogsScan, LogsScanner, readAnyValue, StringPool } from "@agent-audit/otlp";
import {
  ATTR_LOG_RECORD_UID,
  ATTR_ORG_ID,
  ATTR_STREAM_ID,
  ATTR_STREAM_SEQUENCE,
  MAX_ID_BYTES,
} from "@agent-audit/schema";

/** Says by what a record is known again. Valid until the next one is read. */
export interface RecordIdentity {
  /** Whether the record has an id at all; without one the other fields mean nothing. */
  hasId: boolean;
  /** 128 bits over organisation and id. */
  key: Uint32Array;
  /** Name of organisation and stream; `null` for a record that is known by its uid. */
  streamKey: string | null;
  sequence: number;
  /** Tells records of one id but different content apart. */
  checksum: number;
}

const UID = 0;
const STREAM = 1;
const SEQUENCE = 2;
const ORG = 3;
const WATCHED = [ATTR_LOG_RECORD_UID, ATTR_STREAM_ID, ATTR_STREAM_SEQUENCE, ATTR_ORG_ID];

/** Makes the scanner whose result {@link IdentityReader} needs. */
export function identityScanner(): LogsScanner {
  return new LogsScanner(WATCHED, [ATTR_ORG_ID]);
}

/** The tag of a string in an AnyValue, which nearly all ids are. */
const STRING_TAG = 0x0a;

/**
 * Reads the identities of a request's records: organisation and place in the stream, else organisation and
 * `log.record.uid`. Ids longer than 512 bytes are none. Nothing is allocated per record but its texts.
 */
export class IdentityReader {
  readonly #pool = new StringPool();
  readonly #identity: RecordIdentity = {
    hasId: false,
    key: new Uint32Array(4),
    streamKey: null,
    sequence: 0,
    checksum: 0,
  };
  #bytes: Buffer = Buffer.alloc(0);
  #scan: LogsScan | null = null;
  #keyOrgId = "";
  /** The stream of the record before: neighbours mostly share it. */
  #stream: { orgId: string; id: string; key: string; digest: Uint32Array } = {
    orgId: "",
    id: "",
    key: "",
    digest: new Uint32Array(4),
  };

  /**
   * @param scan of `payload`, by {@link identityScanner}
   * @param keyOrgId organisation that the sender's key fixes; `""` for none
   */
  begin(payload: Uint8Array, scan: LogsScan, keyOrgId: string): void {
    this.#bytes = asBuffer(payload);
    this.#scan = scan;
    this.#keyOrgId = keyOrgId;
  }

  /** Reads the identity of the record at `index`. */
  read(index: number): RecordIdentity {
    const { watched, starts, ends } = this.#scan as LogsScan;
    const identity = this.#identity;
    const base = index * WATCHED.length;
    const streamId = this.#text(watched, base + STREAM);
    const sequence = streamId === null ? null : this.#sequence(watched, base + SEQUENCE);
    identity.hasId = true;
    identity.streamKey = null;
    if (streamId !== null && sequence !== null) {
      this.#placeInStream(this.#orgId(base, index), streamId, sequence);
    } else {
      const uid = this.#text(watched, base + UID);
      if (uid === null) identity.hasId = false;
      else identity.key.set(digestOf(`u${JSON.stringify([this.#orgId(base, index), uid])}`));
    }
    identity.checksum = crc32(this.#bytes.subarray(starts[index], ends[index]));
    return identity;
  }

  /** The stream's own digest, changed by the sequence: one digest serves a whole stream. */
  #placeInStream(orgId: string, streamId: string, sequence: number): void {
    if (streamId !== this.#stream.id || orgId !== this.#stream.orgId) {
      const key = JSON.stringify([orgId, streamId]);
      this.#stream = { orgId, id: streamId, key, digest: digestOf(`s${key}`) };
    }
    const { key, digest } = this.#stream;
    const identity = this.#identity;
    identity.streamKey = key;
    identity.sequence = sequence;
    identity.key.set(digest);
    // An odd factor maps 32 bits one to one, and spreads neighbours over the table.
    identity.key[0] = (digest[0] as number) ^ Math.imul(sequence | 0, 0x9e3779b1);
    identity.key[1] = (digest[1] as number) ^ Math.floor(sequence / 0x1_0000_0000);
  }

  #orgId(base: number, index: number): string {
    if (this.#keyOrgId !== "") return this.#keyOrgId;
    const { watched, watchedOfGroups, groups } = this.#scan as LogsScan;
    const group = groups[index] as number;
    return this.#text(watched, base + ORG) ?? this.#text(watchedOfGroups, group) ?? "";
  }

  #text(spans: readonly number[], at: number): string | null {
    const start = spans[at * 2] ?? -1;
    if (start < 0) return null;
    const end = spans[at * 2 + 1] as number;
    const length = this.#bytes[start + 1] as number;
    if (this.#bytes[start] === STRING_TAG && length < 0x80 && start + 2 + length === end) {
      return length === 0 ? null : this.#pool.get(this.#bytes, start + 2, end);
    }
    const value = readAnyValue(this.#bytes, start, end);
    const isNumber = typeof value === "bigint" || typeof value === "number";
    const text = isNumber ? String(value) : value;
    if (typeof text !== "string" || text === "") return null;
    return Buffer.byteLength(text) > MAX_ID_BYTES ? null : text;
  }

  #sequence(spans: readonly number[], at: number): number | null {
    const start = spans[at * 2] ?? -1;
    if (start < 0) return null;
    const value = readAnyValue(this.#bytes, start, spans[at * 2 + 1] as number);
    const isNumeric = ["bigint", "number", "string"].includes(typeof value);
    const sequence = isNumeric ? Number(value) : Number.NaN;
    return Number.isSafeInteger(sequence) && sequence >= 1 ? sequence : null;
  }
}

/** A cryptographic digest: nobody can choose an id that passes for another's. */
function digestOf(text: string): Uint32Array {
  const digest = crypto.createHash("sha256").update(text).digest();
  return new Uint32Array(digest.buffer.slice(digest.byteOffset, digest.byteOffset + 16));
}
