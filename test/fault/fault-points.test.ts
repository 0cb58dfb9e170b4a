import { describe, expect, it } from "vitest";
import { faultPoints } from "../support/fault-points.js";
import { runSeed } from "../support/seeded.js";

describe("P2: a fault at each file operation of journal and store", () => {
  it("loses and doubles nothing: kill, EIO, ENOSPC, with and without a power loss", () => {
    const seed = runSeed();
    const points = faultPoints(seed, 1);
    console.log(`seed ${seed}: ${points} points`);
    expect(points).toBeGreaterThan(300);
  });
});
