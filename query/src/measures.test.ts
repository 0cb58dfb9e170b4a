import { expect, it } from "vitest";
import { CostTally } from "./measures.js";

it.each([
  [[0n], 0],
  [[1n], 0.000000001],
  [[250_000_000n, 1_000_000_001n], 1.250000001],
  [[2n ** 53n - 1n], 9007199.254740991],
  [[2n ** 53n - 1n, 1n], "9007199.254740992"],
  [[2n ** 53n, 1n], "9007199.254740993"],
  [[123_456_789_000_000_000n], "123456789"],
  [[-(2n ** 60n)], "-1152921504.606846976"],
])("costs of %s billionths add up to %s, exactly", (nanos, amount) => {
  const tally = new CostTally();
  for (const nano of nanos) {
    const cells = [Number(nano / 1_000_000_000n), Number(nano % 1_000_000_000n), 0, 1];
    tally.add(
      "USD",
      cells.map((cell) => [cell]),
      0,
      0,
    );
  }
  expect(tally.json()).toEqual([{ currency: "USD", amount, unpriced_count: 0 }]);
});
