import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nanoFromAmount, nanosFromSeconds, secondsFromNanos } from "./units.js";

describe("units", () => {
  it("give back every duration up to 2^51 ns", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 51n }), (nanos) => {
        expect(nanosFromSeconds(secondsFromNanos(nanos))).toBe(nanos);
      }),
    );
  });

  it.each([[-1], [Number.NaN], [Number.POSITIVE_INFINITY], [1e12]])(
    "find no duration in %d s",
    (s) => {
      expect(nanosFromSeconds(s)).toBeNull();
    },
  );

  it.each([
    [1.234567891, 1_234_567_891n],
    [2 ** -10 * 1e-6, 1n],
    [0.5e-9, 0n],
    [1.5e-9, 2n],
    [-0.25, -250_000_000n],
  ])("round %d to %d billionths, half to even", (amount, nano) => {
    expect(nanoFromAmount(amount)).toBe(nano);
  });
});
