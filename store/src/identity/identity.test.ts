import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IntervalSet } from "./interval-set.js";
import { RecentKeys } from "./recent-keys.js";

const key = (n: number) => Uint32Array.of(n & 7, n, n * 3, 9);

describe("IntervalSet", () => {
  it("holds what a set holds, in as few intervals as there can be", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 })), (values) => {
        const set = new IntervalSet();
        for (const value of values) set.add(value);
        const plain = new Set(values);
        for (let i = 0; i <= 61; i++) expect(set.has(i)).toBe(plain.has(i));
        const intervals = set.toJSON();
        for (const [i, [first, last]] of intervals.entries()) {
          expect(first).toBeLessThanOrEqual(last);
          expect(first).toBeGreaterThan((intervals[i - 1]?.[1] ?? -1) + 1);
        }
        expect(new IntervalSet(intervals).toJSON()).toEqual(intervals);
      }),
    );
  });
});

describe("RecentKeys", () => {
  it("remembers exactly the last keys, whatever their slots, and the newest checksum of each", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 60 }), { maxLength: 300 }), (values) => {
        const keys = new RecentKeys(16);
        const expected = new Map<number, number>();
        for (const [i, value] of values.entries()) {
          keys.add(key(value), i);
          expected.set(value, i);
          if (expected.size > 16) expected.delete(expected.keys().next().value as number);
        }
        for (let n = 0; n <= 60; n++) {
          expect(keys.checksumOf(key(n))).toBe(expected.get(n) ?? null);
        }
        const visited: number[] = [];
        keys.forEach((k) => {
          visited.push(k[1] as number);
        });
        expect(visited).toEqual([...expected.keys()]);
      }),
    );
  });
});
