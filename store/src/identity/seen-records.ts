import type { LogsScan } from "@agent-audit/otlp";
import { RecentKeys } from "./recent-keys.js";
import { IdentityReader, type RecordIdentity } from "./record-identity.js";
import { StreamSequences } from "./stream-sequences.js";

/** How long a request without ids is known again. */
const REQUEST_MEMORY_NANOS = 600_000_000_000n;

/** What a record turned out to be. A conflict has a known id and other content: it is kept beside the first. */
export type Standing = "new" | "duplicate" | "conflict";

/** One request, as far as its records' identity goes. */
export interface IdentifiedRequest {
  /** Protobuf ExportLogsServiceRequest. */
  payload: Uint8Array;
  /** Of `payload`, by `identityScanner`. */
  scan: LogsScan;
  /** Organisation and key of the sender; `""` for none. */
  orgId: string;
  keyId: string;
  /** Gives the digest of the whole decoded body; asked for when a record without an id comes up. `null`: such are all new. */
  digest: (() => Uint8Array) | null;
  receivedNano: bigint;
}

/** Says what is missing of the emitters' streams. A record that is late counts until it is there. */
export interface StreamTotals {
  streams: number;
  /** Missing ranges. */
  gaps: number;
  /** Missing records. */
  missing: number;
}

/**
 * Knows which records were stored before, so that a retry is stored once. Streams are remembered without
 * limit, other ids among the last million records, requests without ids for ten minutes. Owned by the
 * journal's writer: what it says and what the journal holds cannot part.
 */
export class SeenRecords {
  readonly #streams: Map<string, StreamSequences>;
  readonly #recent: RecentKeys;
  /** Request digest with key id -> when it was received, in order of arrival. */
  readonly #requests: Map<string, bigint>;
  readonly #reader = new IdentityReader();
  #gaps = 0;
  #missing = 0;

  constructor(
    streams = new Map<string, StreamSequences>(),
    recent = new RecentKeys(),
    requests = new Map<string, bigint>(),
  ) {
    this.#streams = streams;
    this.#recent = recent;
    this.#requests = requests;
    for (const sequences of streams.values()) this.#countGaps(sequences, 1);
  }

  get streams(): ReadonlyMap<string, StreamSequences> {
    return this.#streams;
  }

  get recent(): RecentKeys {
    return this.#recent;
  }

  get requests(): ReadonlyMap<string, bigint> {
    return this.#requests;
  }

  /** What is missing, over all streams. */
  get totals(): StreamTotals {
    return { streams: this.#streams.size, gaps: this.#gaps, missing: this.#missing };
  }

  /** Tells what each record is and remembers it. */
  classify(request: IdentifiedRequest): Standing[] {
    this.#reader.begin(request.payload, request.scan, request.orgId);
    // Asked once, and only if a record without an id comes up.
    let isRetry: boolean | null = null;
    return request.scan.starts.map((_, index) => {
      const identity = this.#reader.read(index);
      if (!identity.hasId) {
        isRetry ??= this.#isKnownRequest(request);
        return isRetry ? "duplicate" : "new";
      }
      const standing = this.#standingOf(identity, request.keyId);
      if (standing === "new") this.#remember(identity, request.keyId);
      if (standing === "conflict") {
        this.#recent.add(keyOfConflict(identity.key, identity.checksum), identity.checksum);
        this.#addToStream(identity, request.keyId);
      }
      return standing;
    });
  }

  #standingOf({ key, streamKey, sequence, checksum }: RecordIdentity, keyId: string): Standing {
    const known = this.#recent.checksumOf(key);
    if (known === checksum) return "duplicate";
    if (known !== null) return this.#isKnownConflict(key, checksum) ? "duplicate" : "conflict";
    // The first content of an id is forgotten before the others.
    if (streamKey === null) return this.#isKnownConflict(key, checksum) ? "duplicate" : "new";
    // Too old to compare its content: an emitter does not use a sequence twice.
    return this.#streams.get(streamKey)?.has(keyId, sequence) === true ? "duplicate" : "new";
  }

  /** The first content of an id stays under the id's key; each other one has a key of its own. */
  #isKnownConflict(key: Uint32Array, checksum: number): boolean {
    return this.#recent.checksumOf(keyOfConflict(key, checksum)) === checksum;
  }

  #remember(identity: RecordIdentity, keyId: string): void {
    this.#recent.add(identity.key, identity.checksum);
    this.#addToStream(identity, keyId);
  }

  #addToStream({ streamKey, sequence }: RecordIdentity, keyId: string): void {
    if (streamKey === null) return;
    let sequences = this.#streams.get(streamKey);
    if (sequences === undefined) {
      sequences = new StreamSequences(keyId);
      this.#streams.set(streamKey, sequences);
    }
    this.#countGaps(sequences, -1);
    sequences.add(keyId, sequence);
    this.#countGaps(sequences, 1);
  }

  #countGaps({ gapCount, missingCount }: StreamSequences, sign: 1 | -1): void {
    this.#gaps += sign * gapCount;
    this.#missing += sign * missingCount;
  }

  #isKnownRequest({ digest, keyId, receivedNano }: IdentifiedRequest): boolean {
    if (digest === null) return false;
    for (const [name, since] of this.#requests) {
      // What a clock that was ahead has left is no younger for it.
      if (since <= receivedNano && receivedNano - since < REQUEST_MEMORY_NANOS) break;
      this.#requests.delete(name);
    }
    const name = `${Buffer.from(digest()).toString("hex")}${keyId}`;
    if (this.#requests.has(name)) return true;
    this.#requests.set(name, receivedNano);
    return false;
  }
}

function keyOfConflict(key: Uint32Array, checksum: number): Uint32Array {
  const [first, second, third, fourth] = key as unknown as [number, number, number, number];
  return Uint32Array.of(first, second, third ^ checksum, ~fourth);
}
