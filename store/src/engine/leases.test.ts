import { expect, it } from "vitest";
import { Leases } from "./leases.js";

const A = 1;
const B = 2;

function leases() {
  let now = 0;
  const leases = new Leases(() => now);
  const pass = (millis: number) => {
    now += millis;
  };
  /** Takes a lease and says whether it was given at once. */
  const take = async (...ids: number[]) => {
    let lease: number | null = null;
    const taken = leases
      .take(() => ids)
      .then((given) => {
        lease = given;
      });
    await new Promise(setImmediate);
    return { isGiven: () => lease !== null, taken, release: () => leases.release(lease as number) };
  };
  return { leases, pass, take };
}

it("gives a segment that nobody reads, and keeps readers off until it is free", async () => {
  const { leases: all, take } = leases();
  expect(all.claim(A)).toBe(true);
  const reader = await take(A, B);
  expect(reader.isGiven()).toBe(false);
  expect((await take(B)).isGiven()).toBe(true);
  all.free(A);
  await reader.taken;
  expect(all.claim(A)).toBe(false);
});

it("waits for a moment without readers, then makes new ones wait, for a while only", async () => {
  const { leases: all, pass, take } = leases();
  const first = await take(A);
  expect(all.claim(A)).toBe(false);
  const second = await take(A);
  expect(second.isGiven()).toBe(true);
  pass(5_000);
  expect(all.claim(A)).toBe(false);
  const third = await take(A);
  expect(third.isGiven()).toBe(false);
  pass(2_000);
  expect(all.claim(A)).toBe(false);
  await third.taken;
  for (const reader of [first, second, third]) reader.release();
  expect(all.claim(A)).toBe(true);
});

it("asks anew what to read after a wait", async () => {
  const { leases: all } = leases();
  all.claim(A);
  let wanted = [A];
  const taken = all.take(() => wanted);
  wanted = [B];
  all.free(A);
  all.release(await taken);
  expect(all.claim(A)).toBe(true);
});
