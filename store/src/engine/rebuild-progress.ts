/** Reports are at least this far apart; the last one comes in any case. */
const REPORT_MILLIS = 5_000;

/** Says how far a segment is that is made, or brought up to date, from the journal. */
export interface RebuildProgress {
  /** Name of the segment. */
  segment: string;
  /** Records that were applied, of those that were missing. */
  records: number;
  totalRecords: number;
  recordsPerSecond: number;
}

/** Follows the rebuilding of one segment. */
export class ProgressMeter {
  readonly #segment: string;
  readonly #fromSeq: bigint;
  readonly #lastSeq: bigint;
  readonly #begin = performance.now();
  #reportedAt = this.#begin;

  /**
   * @param appliedSeq last sequence that the segment holds at the beginning
   * @param lastSeq last sequence that it must hold
   */
  constructor(segment: string, appliedSeq: bigint, lastSeq: bigint) {
    this.#segment = segment;
    this.#fromSeq = appliedSeq;
    this.#lastSeq = lastSeq;
  }

  isDone(appliedSeq: bigint): boolean {
    return appliedSeq >= this.#lastSeq;
  }

  /** Tells whether the next report is due, and counts it as made. */
  isDue(appliedSeq: bigint): boolean {
    const now = performance.now();
    if (now - this.#reportedAt < REPORT_MILLIS && !this.isDone(appliedSeq)) return false;
    this.#reportedAt = now;
    return true;
  }

  progress(appliedSeq: bigint): RebuildProgress {
    const reached = appliedSeq < this.#lastSeq ? appliedSeq : this.#lastSeq;
    const records = Number(reached - this.#fromSeq);
    const seconds = (performance.now() - this.#begin) / 1000;
    return {
      segment: this.#segment,
      records,
      totalRecords: Number(this.#lastSeq - this.#fromSeq),
      recordsPerSecond: seconds > 0 ? Math.round(records / seconds) : 0,
    };
  }
}
