import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StreamSequences } from "./stream-sequences.js";

const sent = (values: readonly (readonly [string, number])[]) => {
  const stream = new StreamSequences(values[0]?.[0] ?? "");
  for (const [keyId, sequence] of values) stream.add(keyId, sequence);
  return stream;
};

describe("StreamSequences", () => {
  it("knows what each key has sent, and counts what no key has; also when made again from its entries", () => {
    const key = fc.constantFrom("", "a", "b");
    const values = fc.array(fc.tuple(key, fc.integer({ min: 1, max: 30 })), { minLength: 1 });
    fc.assert(
      fc.property(values, (values) => {
        const stream = sent(values);
        const again = StreamSequences.from(JSON.parse(JSON.stringify(stream.entries())));
        const highest = Math.max(...values.map(([, sequence]) => sequence));
        const missing = highest - new Set(values.map(([, sequence]) => sequence)).size;
        for (const known of [stream, again]) {
          expect(known.missingCount).toBe(missing);
          for (const keyId of ["", "a", "b"]) {
            for (let sequence = 1; sequence <= 30; sequence++) {
              const has = values.some(([id, value]) => id === keyId && value === sequence);
              expect(known.has(keyId, sequence)).toBe(has);
            }
          }
        }
        again.add("b", 31);
        expect(again.has("b", 31)).toBe(true);
      }),
    );
  });

  it("gives a stream of many intervals in parts", () => {
    const stream = sent(Array.from({ length: 25_000 }, (_, i) => ["k", i * 2 + 1] as const));
    expect(stream.entries().map(([, intervals]) => intervals.length)).toEqual([
      10_000, 10_000, 5_000,
    ]);
    expect(StreamSequences.from(stream.entries()).gapCount).toBe(24_999);
  });
});
