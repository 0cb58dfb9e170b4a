/** Intervals of one block; above it the block is halved, so that an insertion moves few of them. */
const MAX_BLOCK = 1024;

/** First and last of neighbouring intervals, in order. */
interface Block {
  starts: number[];
  ends: number[];
}

/**
 * Holds a set of whole numbers as sorted, disjoint intervals: a stream without gaps is one, however long. Intervals lie
 * in blocks: whoever sends a stream backwards, with holes, must not make each number cost more than the one before.
 */
export class IntervalSet {
  /** None is empty; neighbouring intervals never touch, across blocks either. */
  readonly #blocks: Block[] = [];
  #count = 0;
  #size = 0;

  /** @param intervals pairs as {@link toJSON} gave them */
  constructor(intervals: readonly (readonly [first: number, last: number])[] = []) {
    for (let at = 0; at < intervals.length; at += MAX_BLOCK / 2) {
      const part = intervals.slice(at, at + MAX_BLOCK / 2);
      this.#blocks.push({
        starts: part.map(([first]) => first),
        ends: part.map(([, last]) => last),
      });
    }
    this.#count = intervals.length;
    for (const [first, last] of intervals) this.#size += last - first + 1;
  }

  /** How many ranges are missing of all from 1 to the highest. */
  get gapCount(): number {
    const beginsAtOne = (this.#blocks[0]?.starts[0] ?? Number.POSITIVE_INFINITY) <= 1;
    return this.#count - (beginsAtOne ? 1 : 0);
  }

  /** How many numbers are missing of all from 1 to the highest. */
  get missingCount(): number {
    const first = Math.min(1, this.#blocks[0]?.starts[0] ?? 1);
    return (this.#blocks.at(-1)?.ends.at(-1) ?? 0) - first + 1 - this.#size;
  }

  has(value: number): boolean {
    const block = this.#blocks[this.#blockAtOrBefore(value)];
    if (block === undefined) return false;
    return value <= (block.ends[indexIn(block, value)] as number);
  }

  add(value: number): void {
    const at = Math.max(0, this.#blockAtOrBefore(value));
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push({ starts: [value], ends: [value] });
      this.#count = 1;
      this.#size = 1;
      return;
    }
    const { starts, ends } = block;
    const index = indexIn(block, value);
    if (index >= 0 && value <= (ends[index] as number)) return;
    this.#size++;
    const isLast = index === starts.length - 1;
    const following = isLast ? this.#blocks[at + 1] : block;
    const followingIndex = isLast ? 0 : index + 1;
    const extendsLeft = index >= 0 && ends[index] === value - 1;
    const extendsRight = following?.starts[followingIndex] === value + 1;
    if (extendsLeft && extendsRight) {
      ends[index] = following.ends[followingIndex] as number;
      this.#remove(isLast ? at + 1 : at, followingIndex);
    } else if (extendsLeft) ends[index] = value;
    else if (extendsRight) following.starts[followingIndex] = value;
    else {
      starts.splice(index + 1, 0, value);
      ends.splice(index + 1, 0, value);
      this.#count++;
      if (starts.length > MAX_BLOCK) this.#halve(at);
    }
  }

  toJSON(): [first: number, last: number][] {
    return this.#blocks.flatMap(({ starts, ends }) =>
      starts.map((first, i): [number, number] => [first, ends[i] as number]),
    );
  }

  #remove(at: number, index: number): void {
    const { starts, ends } = this.#blocks[at] as Block;
    starts.splice(index, 1);
    ends.splice(index, 1);
    if (starts.length === 0) this.#blocks.splice(at, 1);
    this.#count--;
  }

  #halve(at: number): void {
    const { starts, ends } = this.#blocks[at] as Block;
    const half = starts.length >>> 1;
    this.#blocks.splice(at + 1, 0, { starts: starts.splice(half), ends: ends.splice(half) });
  }

  /** Index of the last block that starts at or before `value`; -1 for none. */
  #blockAtOrBefore(value: number): number {
    const blocks = this.#blocks;
    return lastAtOrBefore(blocks.length, (index) => blocks[index]?.starts[0] as number, value);
  }
}

/** Index of the last interval that starts at or before `value`; -1 for none. */
function indexIn({ starts }: Block, value: number): number {
  return lastAtOrBefore(starts.length, (index) => starts[index] as number, value);
}

/** Finds the last of `count` ascending numbers that is not larger than `value`; -1 for none. */
function lastAtOrBefore(count: number, at: (index: number) => number, value: number): number {
  // The usual value lies behind all others.
  if (count > 0 && value >= at(count - 1)) return count - 1;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
