/** Holds a set of whole numbers as sorted, disjoint intervals: a stream without gaps is one, however long. */
export class IntervalSet {
  /** First and last of each interval, in order; neighbours never touch. */
  readonly #starts: number[];
  readonly #ends: number[];
  #size = 0;

  /** @param intervals pairs as {@link toJSON} gave them */
  constructor(intervals: readonly (readonly [first: number, last: number])[] = []) {
    this.#starts = intervals.map(([first]) => first);
    this.#ends = intervals.map(([, last]) => last);
    for (const [first, last] of intervals) this.#size += last - first + 1;
  }

  /** How many ranges are missing of all from 1 to the highest. */
  get gapCount(): number {
    const beginsAtOne = (this.#starts[0] ?? Number.POSITIVE_INFINITY) <= 1;
    return this.#starts.length - (beginsAtOne ? 1 : 0);
  }

  /** How many numbers are missing of all from 1 to the highest. */
  get missingCount(): number {
    const first = Math.min(1, this.#starts[0] ?? 1);
    return (this.#ends.at(-1) ?? 0) - first + 1 - this.#size;
  }

  has(value: number): boolean {
    const index = this.#indexAtOrBefore(value);
    return index >= 0 && value <= (this.#ends[index] as number);
  }

  add(value: number): void {
    const index = this.#indexAtOrBefore(value);
    if (index >= 0 && value <= (this.#ends[index] as number)) return;
    this.#size++;
    const extendsLeft = index >= 0 && this.#ends[index] === value - 1;
    const extendsRight = this.#starts[index + 1] === value + 1;
    if (extendsLeft && extendsRight) {
      this.#ends[index] = this.#ends[index + 1] as number;
      this.#starts.splice(index + 1, 1);
      this.#ends.splice(index + 1, 1);
    } else if (extendsLeft) this.#ends[index] = value;
    else if (extendsRight) this.#starts[index + 1] = value;
    else {
      this.#starts.splice(index + 1, 0, value);
      this.#ends.splice(index + 1, 0, value);
    }
  }

  toJSON(): [first: number, last: number][] {
    return this.#starts.map((first, i) => [first, this.#ends[i] as number]);
  }

  /** Index of the last interval that starts at or before `value`; -1 for none. */
  #indexAtOrBefore(value: number): number {
    let low = 0;
    let high = this.#starts.length;
    // The usual value lies behind all others.
    if (high > 0 && value >= (this.#starts[high - 1] as number)) return high - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
