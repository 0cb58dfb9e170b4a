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

/** Counts the sequences of a range that lie in none of others, which do not overlap. */
export function countWithout({ firstSeq, lastSeq }: SeqRange, others: readonly SeqRange[]): bigint {
  return others.reduce(
    (count, other) => {
      const first = other.firstSeq > firstSeq ? other.firstSeq : firstSeq;
      const last = other.lastSeq < lastSeq ? other.lastSeq : lastSeq;
      return last < first ? count : count - (last - first + 1n);
    },
    lastSeq - firstSeq + 1n,
  );
}

/** The greatest that there can be: sequences are signed, of 64 bits. */
export const MAX_SEQ = 2n ** 63n - 1n;
