import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.js";

const splitting = (maxBytes?: number) => {
  const lines: (string | number)[] = [];
  const add = (line: string | number) => lines.push(line);
  const splitter = new LineSplitter({ onLine: add, onTooLong: add }, maxBytes);
  return { lines, splitter };
};

describe("LineSplitter", () => {
  it("gives the same lines however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.constantFrom("\n", "\r\n", "\r"))),
        fc.integer({ min: 1, max: 9 }),
        (texts, size) => {
          const ended = texts.map(
            ([text, end]) => [text.replaceAll(/[\r\n]/g, " ").toWellFormed(), end] as const,
          );
          const bytes = Buffer.from(ended.flat().join(""));
          const { lines, splitter } = splitting();
          for (let i = 0; i < bytes.length; i += size) splitter.add(bytes.subarray(i, i + size));
          expect(lines).toEqual(ended.map(([text]) => text).filter((text) => text !== ""));
        },
      ),
    );
  });

  it("gives the size of a line past the limit and goes on with the next", () => {
    const { lines, splitter } = splitting(10);
    splitter.add(Buffer.from(`${"x".repeat(8)}`));
    splitter.add(Buffer.from(`${"x".repeat(8)}\nok\n`));
    expect(lines).toEqual([16, "ok"]);
  });

  it("takes what comes last for a line, once", () => {
    const { lines, splitter } = splitting();
    splitter.add(Buffer.from("a\nb"));
    splitter.end();
    splitter.end();
    expect(lines).toEqual(["a", "b"]);
  });
});
