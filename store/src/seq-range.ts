/** Sequences, both inclusive. */
export interface SeqRange {
  firstSeq: bigint;
  lastSeq: bigint;
}

/** Tells whether ranges together hold all of another. */
export function covers(ranges: readonly SeqRange[], { firstSeq, lastSeq }: SeqRange): boolean {
  let at = firstSeq;
  while (at <= lastSeq) {
    const covering = ranges.find((range) => range.firstSeq <= at && range.lastSeq >= at);
    if (covering === undefined) return false;
    at = covering.lastSeq + 1n;
  }
  return true;
}

/** The greatest that there can be: sequences are signed, of 64 bits. */
export const MAX_SEQ = 2n ** 63n - 1n;
