import { describe, expect, it } from "vitest";
import { SharedPosition } from "../shared-position.js";
import { RightOfWay } from "./right-of-way.js";

const WORK_MILLIS = 30;

/** A piece of work, beside queries that have run for so long at each look; says how long the pause after it was. */
async function pauseAfterWork(looks: number[]): Promise<number> {
  const rightOfWay = new RightOfWay(new SharedPosition(), () => looks.shift() ?? 0);
  rightOfWay.begin();
  const begin = performance.now();
  while (performance.now() - begin < WORK_MILLIS);
  const end = performance.now();
  await rightOfWay.pauseWhenDue();
  return performance.now() - end;
}

describe("RightOfWay", () => {
  it("lets applying rest for a slow query as long as it worked, and no longer", async () => {
    const looks = new Array<number>(1000).fill(21);
    expect(await pauseAfterWork(looks)).toBeGreaterThanOrEqual(WORK_MILLIS);
    expect(looks.length, "further rests").toBeGreaterThan(1000 - 2 * WORK_MILLIS);
  });

  it("lets it go on when the query ends, and at once where none is slow", async () => {
    let looks: number[];
    let millis: number;
    do {
      looks = [21, 21, 3, 21];
      millis = await pauseAfterWork(looks);
      // On a machine that stalls, one rest can be as long as all.
    } while (millis >= WORK_MILLIS);
    expect(looks).toEqual([21]);
    const quick = [20, 21];
    await pauseAfterWork(quick);
    expect(quick).toEqual([21]);
  });
});
