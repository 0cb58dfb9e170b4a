/**
 * Holds what the threads tell each other: how far the journal is synced, how far the engine has applied it,
 * and how busy ingest is. All of it only ever grows.
 */
export class SharedPosition {
  readonly #cells: BigInt64Array;
  readonly buffer: SharedArrayBuffer;

  /** @param buffer another thread's `buffer`; left out, a new one is made */
  constructor(buffer = new SharedArrayBuffer(24)) {
    this.buffer = buffer;
    this.#cells = new BigInt64Array(buffer);
  }

  /** Highest sequence that is on disk; 0 for none. */
  get syncedSeq(): bigint {
    return Atomics.load(this.#cells, 0);
  }

  set syncedSeq(seq: bigint) {
    Atomics.store(this.#cells, 0, seq);
  }

  /** Highest sequence that queries see; 0 for none. */
  get appliedSeq(): bigint {
    return Atomics.load(this.#cells, 1);
  }

  set appliedSeq(seq: bigint) {
    Atomics.store(this.#cells, 1, seq);
  }

  /** How long the journal's thread has worked since the start, in µs. */
  get ingestBusyMicros(): bigint {
    return Atomics.load(this.#cells, 2);
  }

  addIngestBusy(millis: number): void {
    Atomics.add(this.#cells, 2, BigInt(Math.round(millis * 1000)));
  }
}
