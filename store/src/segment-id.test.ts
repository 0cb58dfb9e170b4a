import fc from "fast-check";
import { expect, it } from "vitest";
import {
  dayOf,
  fromHeaderWord,
  nextPart,
  parseSegmentName,
  partOf,
  segmentName,
  segmentOfTime,
  toHeaderWord,
} from "./segment-id.js";

const DAY = 86_400_000_000_000n;
const lastPart = parseSegmentName("2026-11-25.16383") as number;

it("names every segment so that it can be found again", () => {
  const day = fc.integer({ min: 0, max: 2 ** 18 - 1 });
  fc.assert(
    fc.property(day, fc.integer({ min: 0, max: 40 }), (day, parts) => {
      let id = segmentOfTime(BigInt(day) * DAY + 5n);
      for (let i = 0; i < parts; i++) id = nextPart(id);
      expect([dayOf(id), partOf(id)]).toEqual([day, parts]);
      expect(parseSegmentName(segmentName(id))).toBe(id);
      expect(fromHeaderWord(toHeaderWord(id))).toBe(id);
      expect(segmentOfTime(BigInt(day + 1) * DAY)).toBeGreaterThan(id);
    }),
  );
});

it("reads a header without parts as the first of its day", () => {
  expect(segmentName(fromHeaderWord(20_000))).toBe("2024-10-04");
  expect(toHeaderWord(lastPart)).toBeLessThan(2 ** 32);
});

it("stays in the last part that a day can have", () => {
  expect(nextPart(lastPart)).toBe(lastPart);
});

it.each([
  "",
  "2026-11-25.0",
  "2026-11-25.01",
  "2026-11-25.16384",
  "2026-13-40",
  "x",
  "2026-11-25.wal",
])("takes %j for no segment", (name) => {
  expect(parseSegmentName(name)).toBe(null);
});
