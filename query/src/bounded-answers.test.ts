import { EVERYTHING } from "@agent-audit/store";
import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { Parameters } from "./parse-filter.js";
import { parseTimeseriesRequest, timeseries } from "./timeseries.js";

/** 2026-11-23T00:00:00Z */
const DAY_START = 1_795_392_000_000_000_000n;

// What is asked for is put together on the thread that takes in events, too.
describe("an answer", () => {
  it("ends a page where its events get too large, and a walk gets past them", async () => {
    const { append, settle, get } = await startQuery(temporaryDirectory());
    const stdout = "x".repeat(3_000_000);
    const count = 11;
    for (let i = 0; i < count; i++) {
      append(sampleBody(sampleEvent({ content: { "agent_audit.process.stdout": stdout } })), 1);
    }
    await settle();
    const sizes: number[] = [];
    const seqs: number[] = [];
    for (let cursor = ""; seqs.length < count; ) {
      const { status, body } = await get(`/api/v1/events?limit=200&fields=content${cursor}`);
      expect(status).toBe(200);
      expect(body.partial).toBeUndefined();
      sizes.push(body.events.length);
      seqs.push(...body.events.map(({ seq }: { seq: number }) => seq));
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(seqs).toEqual(Array.from({ length: count }, (_, i) => count - i));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2);
    expect((await get("/api/v1/events?limit=200")).body.events.length).toBe(count);
  });

  it("of a series has 10,000 buckets at most, and so many groups in all of them", async () => {
    const { append, settle, get, store } = await startQuery(temporaryDirectory());
    const at = (minute: number, source: "shell" | "aws-proxy") =>
      sampleEvent({ time: DAY_START + BigInt(minute) * 60_000_000_000n, source });
    append(sampleBody(at(0, "shell"), at(0, "aws-proxy"), at(1, "shell"), at(2, "shell")), 4);
    await settle();
    for (const [query, expected] of [
      ["interval=1m&from=2026-11-20", 200],
      ["interval=1m&from=2026-11-20&by=source&limit=100", 200],
      ["interval=1m&from=2000-01-01", 400],
      ["interval=day&tz=Europe/Berlin&from=2000-01-01", 200],
      ["interval=day&tz=Europe/Berlin&from=1970-01-01", 400],
    ] as const) {
      const times = `${query.replace(/from=[\d-]+/, "$&T00:00:00Z")}&to=2026-11-26T22:00:00Z`;
      const { status, body } = await get(`/api/v1/timeseries?${times}`);
      expect([status, body.error?.code], query).toEqual([
        expected,
        expected === 200 ? undefined : "too_many_buckets",
      ]);
    }
    const search = new URLSearchParams({ interval: "1m", by: "source" });
    const request = parseTimeseriesRequest(new Parameters(search, EVERYTHING), DAY_START);
    const snapshot = await store.snapshot();
    try {
      expect((await timeseries(snapshot, request, 4)).buckets.length).toBe(3);
      await expect(timeseries(snapshot, request, 3)).rejects.toThrow(/more than 3 groups/);
    } finally {
      snapshot.release();
    }
  });
});
