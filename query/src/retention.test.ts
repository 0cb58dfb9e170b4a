import type { Store } from "@agent-audit/store";
import { expect, it, vi } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startStore } from "../../test/support/start-store.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { Retention } from "./retention.js";

const DAY = 86_400_000_000_000n;
const FIRST_DAY = 20_000n;
const DAYS = 4;
const HOLDS = 130;

/** A store of some sealed days, whose events have the action `day-N`, and an open one. */
async function sealedDays(): Promise<Store> {
  let now = FIRST_DAY * DAY;
  const started = await startStore(temporaryDirectory(), () => now);
  await started.following;
  for (let day = 0; day <= DAYS; day++) {
    now = (FIRST_DAY + BigInt(day)) * DAY;
    started.append(sampleBody(sampleEvent({ time: now, action: `day-${day}` })), 1, now);
  }
  await started.store.settled();
  return started.store;
}

it("looks for hundreds of holds at once, and names those that keep a segment", async () => {
  const store = await sealedDays();
  // Most match nothing, two the same day, one another, all far from the first.
  const actions = Array.from({ length: HOLDS }, (_, i) => `none-${i}`);
  Object.assign(actions, { 7: "day-1", 111: "day-1", 129: "day-3" });
  for (const [i, action] of actions.entries()) {
    const query = `action=${action}`;
    await store.addHold({ id: `h${i}`, query, note: "", created_time: "2026-11-27T00:00:00Z" });
  }
  let looks = 0;
  const snapshot = store.snapshot.bind(store);
  vi.spyOn(store, "snapshot").mockImplementation(async (...args) => {
    const taken = await snapshot(...args);
    const query = taken.query.bind(taken);
    return Object.assign(taken, {
      query: (request: Parameters<typeof query>[0]) => {
        looks++;
        return query(request);
      },
    });
  });
  const dropped: string[] = [];
  const retention = new Retention({
    store,
    keepDays: 1,
    now: () => (FIRST_DAY + BigInt(DAYS) + 2n) * DAY,
    onDrop: async ({ segment }) => void dropped.push(segment),
  });
  const { segments } = await retention.plan();
  expect(segments.map(({ action, held_by }) => [action, ...held_by])).toEqual([
    ["drop"],
    ["keep", "h7", "h111"],
    ["drop"],
    ["keep", "h129"],
  ]);
  looks = 0;
  expect((await retention.run("test")).map(({ segment }) => segment)).toEqual(dropped);
  expect(dropped).toEqual([segments[0]?.segment, segments[2]?.segment]);
  expect(looks).toBeLessThanOrEqual(2 * DAYS);
});
