import fc from "fast-check";
import { expect, it } from "vitest";
import { IntervalSet } from "./interval-set.js";

/** What the set must say, from a plain set. */
function oracle(values: Iterable<number>) {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const intervals: [number, number][] = [];
  for (const value of sorted) {
    const last = intervals.at(-1);
    if (last !== undefined && last[1] === value - 1) last[1] = value;
    else intervals.push([value, value]);
  }
  const highest = sorted.at(-1) ?? 0;
  return {
    intervals,
    missing: highest - sorted.length,
    gaps: intervals.length - (intervals[0]?.[0] === 1 ? 1 : 0),
  };
}

it("holds what was added, in whatever order, as a plain set does", () => {
  const value = fc.integer({ min: 1, max: 6000 });
  // Dense, sparse, and backwards with holes, so that blocks are halved and emptied.
  const values = fc.oneof(
    fc.array(value, { maxLength: 3000 }),
    fc.constant(Array.from({ length: 3000 }, (_, i) => 6000 - 2 * i)),
    fc.constant(Array.from({ length: 6000 }, (_, i) => (i % 2 === 0 ? 6000 - i : i))),
  );
  fc.assert(
    fc.property(values, fc.array(value, { maxLength: 500 }), (first, second) => {
      const set = new IntervalSet();
      for (const added of first) set.add(added);
      const again = new IntervalSet(set.toJSON());
      for (const added of second) again.add(added);
      const expected = oracle([...first, ...second]);
      expect(again.toJSON()).toEqual(expected.intervals);
      expect([again.missingCount, again.gapCount]).toEqual([expected.missing, expected.gaps]);
      for (const asked of second) expect(again.has(asked)).toBe(true);
      expect(again.has(6001)).toBe(false);
    }),
    { numRuns: 60 },
  );
});

it("takes a stream that comes backwards with holes in time that grows with its length", () => {
  const millis = (count: number) => {
    const set = new IntervalSet();
    const begin = performance.now();
    for (let i = count; i > 0; i--) set.add(2 * i);
    return performance.now() - begin;
  };
  millis(20_000);
  // 262,144 took 25 s when each insertion moved all that follows.
  expect(millis(262_144)).toBeLessThan(5_000);
});
