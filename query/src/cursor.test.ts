import { describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor, walkOf } from "./cursor.js";

const WALK = walkOf(new URLSearchParams("source=shell&limit=2"), "k3v5q7x2ma");
const CURSOR = { maxSeq: 62n, fromNano: null, toNano: 2n ** 64n - 1n, time: 7n, seq: 62n };
const TEXT = encodeCursor(CURSOR, WALK);

describe("a cursor", () => {
  it("goes on where it was, whatever the page's size", () => {
    const same = walkOf(new URLSearchParams("limit=9&source=shell"), "k3v5q7x2ma");
    expect(decodeCursor(TEXT, same)).toEqual(CURSOR);
  });

  it("serves no other filter", () => {
    const other = walkOf(new URLSearchParams("source=mcp-tool"), "k3v5q7x2ma");
    expect(() => decodeCursor(TEXT, other)).toThrow(/another filter/);
  });

  it("serves no other server, which has other events by the same sequences", () => {
    const other = walkOf(new URLSearchParams("source=shell"), "y2h7e2kmo6");
    expect(() => decodeCursor(TEXT, other)).toThrow(/not one of this server's/);
  });

  it("that was cut or changed serves nobody", () => {
    for (let length = 0; length < TEXT.length; length++) {
      const cut = TEXT.slice(0, length);
      expect(() => decodeCursor(cut, WALK), cut).toThrow(/not one of this server's/);
      const changed = `${cut}${TEXT[length] === "A" ? "B" : "A"}${TEXT.slice(length + 1)}`;
      expect(() => decodeCursor(changed, WALK), changed).toThrow(/not one of this server's/);
    }
  });

  it("with numbers that are none serves nobody", () => {
    const tooLarge = encodeCursor({ ...CURSOR, maxSeq: 2n ** 63n }, WALK);
    expect(() => decodeCursor(tooLarge, WALK)).toThrow(/not one of this server's/);
  });
});
