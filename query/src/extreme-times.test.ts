import { expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

it("series and pages begin and end where times do, in every zone", async () => {
  const { get, append, settle } = await startQuery(temporaryDirectory());
  append(sampleBody(sampleEvent({ time: 1n }), sampleEvent({ time: 2n ** 64n - 1n })), 2);
  await settle();
  for (const [tz, first] of [
    ["Asia/Tokyo", "1969-12-28T15:00:00Z"],
    ["America/New_York", "1969-12-29T05:00:00Z"],
    ["Africa/Monrovia", "1969-12-29T00:44:30Z"],
  ]) {
    const { body } = await get(`/api/v1/timeseries?interval=week&tz=${tz}&to=1970-01-01T01:00:00Z`);
    expect(body.buckets.map(({ count }: { count: number }) => count)).toEqual([1]);
    expect(body.buckets[0].start).toBe(first);
    const last = await get(`/api/v1/timeseries?interval=day&tz=${tz}&from=2554-07-01T00:00:00Z`);
    expect(last.body.buckets.at(-1).count).toBe(1);
  }
  for (const order of ["asc", "desc", "seq"]) {
    const { body } = await get(`/api/v1/events?order=${order}&q=shell`);
    expect(body.events.length).toBe(2);
    const { body: page } = await get(`/api/v1/events?order=${order}&limit=1`);
    const { body: next } = await get(
      `/api/v1/events?order=${order}&limit=1&cursor=${page.next_cursor}`,
    );
    expect(page.events[0].seq + next.events[0].seq).toBe(3);
  }
});

it("a far event that the filter leaves out does not make a series too long", async () => {
  const { get, append, settle } = await startQuery(temporaryDirectory());
  const HOUR = 3_600_000_000_000n;
  const near = [0n, 2n].map((hours) => 500_000n * HOUR + hours * HOUR);
  const events = near.map((time) => sampleEvent({ time, action: "near" }));
  append(sampleBody(sampleEvent({ time: 1n, action: "far" }), ...events), 3);
  await settle();
  const { body } = await get("/api/v1/timeseries?interval=hour&action=near");
  expect(body.buckets.map(({ count }: { count: number }) => count)).toEqual([1, 0, 1]);
  const { body: all } = await get("/api/v1/timeseries?interval=hour");
  expect(all.error.code).toBe("too_many_buckets");
});
