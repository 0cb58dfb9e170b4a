import { IntervalSet } from "./interval-set.js";

/** Intervals of one entry: a stream of many is written as several. */
const ENTRY_INTERVALS = 10_000;

type Intervals = [first: number, last: number][];

/** A part of what has come of a stream: from one key, or, under `null`, from all of several. */
export type StreamEntry = [keyId: string | null, intervals: Intervals];

/**
 * Knows which sequences of one stream have come. What is missing counts over all keys, so that a rotated key goes on where
 * the one before it ended; what is known counts for the key that sent it, so that no key can take another's sequences.
 */
export class StreamSequences {
  readonly #all: IntervalSet;
  /** The only key, whose sequences are all; unused once there are several. */
  readonly #firstKeyId: string;
  #byKey: Map<string, IntervalSet> | null = null;

  /** @param keyId id of the key that uses the stream first; `""` for none */
  constructor(keyId: string, intervals: Intervals = []) {
    this.#firstKeyId = keyId;
    this.#all = new IntervalSet(intervals);
  }

  /** Makes a stream again from its {@link entries}. */
  static from(entries: readonly StreamEntry[]): StreamSequences {
    const sets = new Map<string | null, Intervals>();
    for (const [keyId, intervals] of entries) {
      const known = sets.get(keyId) ?? [];
      for (const interval of intervals) known.push(interval);
      sets.set(keyId, known);
    }
    const all = sets.get(null);
    const [[firstKeyId, only] = ["", []]] = sets as Map<string, Intervals>;
    if (all === undefined) return new StreamSequences(firstKeyId, only);
    const stream = new StreamSequences("", all);
    sets.delete(null);
    stream.#byKey = new Map(
      [...(sets as Map<string, Intervals>)].map(([id, intervals]) => [
        id,
        new IntervalSet(intervals),
      ]),
    );
    return stream;
  }

  /** How many ranges are missing of all from 1 to the highest. */
  get gapCount(): number {
    return this.#all.gapCount;
  }

  /** How many sequences are missing of all from 1 to the highest. */
  get missingCount(): number {
    return this.#all.missingCount;
  }

  /** Whether a key has sent a sequence. */
  has(keyId: string, sequence: number): boolean {
    return this.#setOf(keyId)?.has(sequence) === true;
  }

  add(keyId: string, sequence: number): void {
    let own = this.#setOf(keyId);
    if (own === undefined) {
      own = new IntervalSet();
      this.#byKey ??= new Map([[this.#firstKeyId, new IntervalSet(this.#all.toJSON())]]);
      this.#byKey.set(keyId, own);
    }
    this.#all.add(sequence);
    if (own !== this.#all) own.add(sequence);
  }

  /** Gives the whole in parts of limited size, for {@link from}. */
  entries(): StreamEntry[] {
    if (this.#byKey === null) return parts(this.#firstKeyId, this.#all);
    return [
      ...parts(null, this.#all),
      ...[...this.#byKey].flatMap(([keyId, own]) => parts(keyId, own)),
    ];
  }

  #setOf(keyId: string): IntervalSet | undefined {
    if (this.#byKey !== null) return this.#byKey.get(keyId);
    return keyId === this.#firstKeyId ? this.#all : undefined;
  }
}

function parts(keyId: string | null, set: IntervalSet): StreamEntry[] {
  const intervals = set.toJSON();
  const entries: StreamEntry[] = [];
  for (let at = 0; at < intervals.length; at += ENTRY_INTERVALS) {
    entries.push([keyId, intervals.slice(at, at + ENTRY_INTERVALS)]);
  }
  return entries;
}
