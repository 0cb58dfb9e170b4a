import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Leases } from "./leases.js";

const A = 1;
const B = 2;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Takes a lease and says whether it was given at once. */
async function take(leases: Leases, ...ids: number[]) {
  let lease: number | null = null;
  const taken = leases
    .take(() => ids)
    .then((given) => {
      lease = given;
    });
  await new Promise(setImmediate);
  return { isGiven: () => lease !== null, taken, release: () => leases.release(lease as number) };
}

it("gives a segment that nobody reads, and keeps readers off until it is free", async () => {
  const leases = new Leases();
  expect(leases.claim(A)).toBe(true);
  const reader = await take(leases, A, B);
  vi.advanceTimersByTime(600_000);
  await new Promise(setImmediate);
  expect(reader.isGiven()).toBe(false);
  expect((await take(leases, B)).isGiven()).toBe(true);
  leases.free(A);
  await reader.taken;
  expect(leases.claim(A)).toBe(false);
});

it("waits for a moment without readers, then makes new ones wait, for a while only", async () => {
  const leases = new Leases();
  const first = await take(leases, A);
  expect(leases.claim(A)).toBe(false);
  const second = await take(leases, A);
  expect(second.isGiven()).toBe(true);
  vi.advanceTimersByTime(5_000);
  expect(leases.claim(A)).toBe(false);
  const third = await take(leases, A);
  expect(third.isGiven()).toBe(false);
  // Without anybody asking again: whoever claims may be busy.
  vi.advanceTimersByTime(2_000);
  await third.taken;
  for (const reader of [first, second, third]) reader.release();
  expect(leases.claim(A)).toBe(true);
});

it("gets its turn among readers that overlap for ever", async () => {
  const leases = new Leases();
  // Each holds its lease for 10 s, and a new one comes every second.
  const held: { until: number; release: () => void }[] = [];
  for (let second = 0; second < 600; second++) {
    for (const reader of held.splice(0)) {
      if (performance.now() >= reader.until) reader.release();
      else held.push(reader);
    }
    if (leases.claim(A)) return;
    const reader = await take(leases, A);
    const hold = () => held.push({ until: performance.now() + 10_000, release: reader.release });
    if (reader.isGiven()) hold();
    else void reader.taken.then(hold);
    vi.advanceTimersByTime(1_000);
    await new Promise(setImmediate);
  }
  throw new Error("it never got its turn");
});

it("asks anew what to read after a wait", async () => {
  const leases = new Leases();
  leases.claim(A);
  let wanted = [A];
  const taken = leases.take(() => wanted);
  wanted = [B];
  leases.free(A);
  leases.release(await taken);
  expect(leases.claim(A)).toBe(true);
});
