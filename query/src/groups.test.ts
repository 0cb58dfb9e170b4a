import { beforeAll, describe, expect, it } from "vitest";
import { startWithSample } from "../../test/support/sample-store.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

/** One server for the tests that only read. */
let reading: Awaited<ReturnType<typeof startWithSample>>;
beforeAll(async () => {
  reading = await startWithSample();
});

describe("GET /api/v1/aggregate", () => {
  it("counts, times, adds up tokens and costs by group", async () => {
    const { get } = reading;
    const { body } = await get("/api/v1/aggregate?by=source&by=result&limit=2");
    expect(body.groups.map(({ key, count }: never) => [key, count])).toEqual([
      [{ source: "llm-proxy", result: "success" }, 3],
      [{ source: "shell", result: "success" }, 2],
    ]);
    expect(body.groups[0]).toMatchObject({
      success_count: 3,
      failure_count: 0,
      error_count: 0,
      input_tokens: 300,
      output_tokens: 30,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      bytes: 0,
      duration_ms: { avg: null, p50: null, p95: null, max: null },
      cost: [{ currency: "USD", amount: 1.250000001, unpriced_count: 1 }],
    });
    expect(body.groups[1].duration_ms).toEqual({ avg: 19, p50: 19, p95: 19.9, max: 20 });
    expect(body.other).toMatchObject({ count: 1, failure_count: 1, cost: [] });
    expect(body.total).toMatchObject({ count: 6, duration_ms: { max: 2100 } });
    expect(body.applied_seq).toBe(8);
  });

  it("has groups of events that lack the field, and groups by number", async () => {
    const { get } = reading;
    const { body } = await get("/api/v1/aggregate?by=status_code&by=agent");
    expect(body.groups.map(({ key, count }: never) => [key, count])).toEqual([
      [{ status_code: null, agent: "agt_1" }, 5],
      [{ status_code: 403, agent: "agt_1" }, 1],
    ]);
    expect(body.other).toBeNull();
  });

  it.each(["", "by=x", "by=source&by=source", "by=source&order_by=x"])(
    "refuses ?%s",
    async (query) => {
      const { get } = reading;
      expect((await get(`/api/v1/aggregate?${query}`)).status).toBe(400);
    },
  );

  it("answers an empty store", async () => {
    const { get } = await startQuery(temporaryDirectory());
    const { body } = await get("/api/v1/aggregate?by=source");
    expect(body).toMatchObject({ groups: [], other: null, total: { count: 0, cost: [] } });
    expect((await get("/api/v1/events")).body).toEqual({ events: [], next_cursor: null });
    expect((await get("/api/v1/facets")).body.total).toBe(0);
    expect((await get("/api/v1/timeseries")).body.buckets).toEqual([]);
  });
});

describe("GET /api/v1/facets", () => {
  it("gives the five breakdowns", async () => {
    const { get } = reading;
    const { body } = await get("/api/v1/facets");
    expect(body).toEqual({
      facets: {
        source: [
          { value: "llm-proxy", count: 3 },
          { value: "shell", count: 3 },
        ],
        actor_type: [{ value: "agent", count: 6 }],
        result: [
          { value: "success", count: 5 },
          { value: "failure", count: 1 },
        ],
        action_type: [
          { value: "llm_request", count: 3 },
          { value: "shell_exec", count: 3 },
        ],
        resource_type: [
          { value: null, count: 5 },
          { value: "process", count: 1 },
        ],
      },
      total: 6,
      applied_seq: 8,
    });
  });
});

describe("GET /api/v1/timeseries", () => {
  it("fills empty buckets, splits, and carries tokens and cost", async () => {
    const { get } = reading;
    const { body } = await get(
      "/api/v1/timeseries?interval=hour&by=source&limit=1&from=2026-11-22T23:30:00Z&to=2026-11-23T06:00:00Z",
    );
    expect(body).toMatchObject({ interval: "hour", tz: "UTC", applied_seq: 8 });
    expect(body.buckets.map(({ start, count }: never) => [start, count])).toEqual([
      ["2026-11-22T23:00:00Z", 0],
      ["2026-11-23T00:00:00Z", 1],
      ["2026-11-23T01:00:00Z", 2],
      ["2026-11-23T02:00:00Z", 0],
      ["2026-11-23T03:00:00Z", 0],
      ["2026-11-23T04:00:00Z", 0],
      ["2026-11-23T05:00:00Z", 3],
    ]);
    expect(body.buckets[6]).toMatchObject({
      input_tokens: 300,
      cost: [{ currency: "USD", amount: 1.250000001, unpriced_count: 1 }],
      groups: [{ key: { source: "llm-proxy" }, count: 3 }],
      other: null,
    });
    expect(body.buckets[1]).toMatchObject({ groups: [], other: { count: 1, failure_count: 1 } });
  });

  it.each([
    "interval=0m",
    "interval=month",
    "tz=Mars/Olympus",
    "by=x",
    "interval=1m&from=2020-01-01T00:00:00Z&to=now",
  ])("refuses ?%s", async (query) => {
    const { get } = reading;
    expect((await get(`/api/v1/timeseries?${query}`)).status).toBe(400);
  });
});
