import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonCursor } from "./json-cursor.js";

/** Gives what a cursor reads of one string, or where it failed; a skip must end at the same place. */
function outcome(json: string) {
  const attempt = (read: (cursor: JsonCursor) => unknown) => {
    const cursor = new JsonCursor(json);
    try {
      const value = read(cursor);
      cursor.end();
      return { value, isReplaced: cursor.hasReplacedSurrogate };
    } catch (error) {
      return (error as Error).message;
    }
  };
  const read = attempt((cursor) => cursor.string());
  const skipped = attempt((cursor) => cursor.skip());
  if (typeof read === "string") expect(skipped).toBe(read);
  else expect(skipped).toEqual({ value: undefined, isReplaced: false });
  return read;
}

function secondsOf(work: () => unknown): number {
  const begin = performance.now();
  work();
  return (performance.now() - begin) / 1000;
}

describe("JsonCursor.string", () => {
  it("reads what JSON.parse reads, with U+FFFD for lone surrogates", () => {
    const unit = fc.oneof(
      fc.constantFrom("\\n", '\\"', "\\\\", "\\/", "\\b\\f\\r\\t", "\\ud834", "\\udd1e", "\\u0000"),
      fc.constantFrom("plain", "é", "𝄞", "あ", "x".repeat(5000), "\\u00E9".repeat(2500)),
    );
    fc.assert(
      fc.property(fc.array(unit), (units) => {
        const json = `"${units.join("")}"`;
        const expected = JSON.parse(json) as string;
        const value = expected.toWellFormed();
        expect(outcome(json)).toEqual({ value, isReplaced: value !== expected });
      }),
    );
  });

  it("takes control characters as they stand", () => {
    expect(outcome('"a\n\\n\u0000"')).toEqual({ value: "a\n\n\u0000", isReplaced: false });
  });

  it.each([
    ['"open', "a string is not closed at offset 1"],
    ['"open\\', "a string is not closed at offset 1"],
    ['"open\\"', "a string is not closed at offset 1"],
    ['"\\x41"', "an unknown escape \\x at offset 1"],
    ['"\\é"', "an unknown escape \\é at offset 1"],
    ['"\\u00g0"', "a \\u escape without four hex digits at offset 1"],
    ['"\\u00"', "a \\u escape without four hex digits at offset 1"],
  ])("refuses %s", (json, message) => {
    expect(outcome(json)).toBe(message);
  });

  it("reads and skips millions of escapes in a few times what JSON.parse takes", () => {
    const json = `"${"\\n".repeat(8_000_000)}"`;
    const parsed = secondsOf(() => JSON.parse(json));
    // A string that grew by each took 25 times as long, and a gigabyte.
    expect(secondsOf(() => new JsonCursor(json).string()) / parsed).toBeLessThan(12);
    expect(secondsOf(() => new JsonCursor(json).skip()) / parsed).toBeLessThan(12);
  });
});
