import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.js";

describe("LineSplitter", () => {
  it("gives the same lines however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary" })),
        fc.integer({ min: 1, max: 9 }),
        (texts, size) => {
          const wanted = texts
            .map((text) => text.replaceAll("\n", " ").toWellFormed())
            .filter((text) => text !== "");
          const bytes = Buffer.from(wanted.map((text) => `${text}\n`).join(""));
          const lines: string[] = [];
          const splitter = new LineSplitter((line) => lines.push(line));
          for (let i = 0; i < bytes.length; i += size) splitter.add(bytes.subarray(i, i + size));
          expect(lines).toEqual(wanted);
        },
      ),
    );
  });

  it("passes over a line past the limit and goes on with the next", () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line), 10);
    splitter.add(Buffer.from(`${"x".repeat(8)}`));
    splitter.add(Buffer.from(`${"x".repeat(8)}\nok\n`));
    expect(lines).toEqual(["ok"]);
  });
});
