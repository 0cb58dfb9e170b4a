import { describe, expect, it } from "vitest";
import { fromPlain, toJson } from "./plain-value.js";

describe("fromPlain", () => {
  it.each([
    [1, 1n],
    [-0, -0],
    [0.5, 0.5],
    [2n ** 70n, String(2n ** 70n)],
    ["\ud800", "\ufffd"],
    [() => 1, null],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [
      [1, "a", null],
      [1n, "a", null],
    ],
    [
      { a: { b: true }, u: undefined },
      { values: [{ key: "a", value: { values: [{ key: "b", value: true }] } }] },
    ],
  ])("reads %o", (value, expected) => {
    expect(fromPlain(value)).toEqual(expected);
  });

  it("ends on cycles, shared objects and depth", () => {
    const cycle: Record<string, unknown> = { name: "c" };
    cycle.self = cycle;
    expect(toJson(fromPlain(cycle))).toEqual({ name: "c", self: "[circular]" });
    let shared: Record<string, unknown> = { end: 1 };
    for (let i = 0; i < 30; i++) shared = { a: shared, b: shared };
    const begin = performance.now();
    fromPlain(shared);
    expect(performance.now() - begin).toBeLessThan(5 * 200);
    let deep: unknown = "end";
    for (let i = 0; i < 100; i++) deep = [deep];
    expect(JSON.stringify(toJson(fromPlain(deep)))).toContain("[nested too deep]");
  });
});
