import type { AggregateAnswer, EventJson, TimeseriesAnswer } from "@agent-audit/query/client";
import { describe, expect, it } from "vitest";
import { displayOf, WHOLE } from "./display.js";
import { aggregateTable, eventsTable } from "./tables.js";
import { timeseriesChart } from "./timeseries-chart.js";

const event = (change: object) =>
  ({
    time: "2026-11-23T06:13:26.123456789Z",
    source: "shell",
    result: "success",
    error_type: null,
    duration_ms: 2100,
    description: "ran",
    ...change,
  }) as unknown as EventJson;

const NOTHING = {
  count: 0,
  success_count: 0,
  failure_count: 0,
  error_count: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  cost: [],
};

describe("what people read", () => {
  const long = `ran "${"x".repeat(500)}"`;

  it("fits a terminal, and is whole for a pipe", () => {
    const events = [event({ description: long })];
    for (const width of [70, 80, 200]) {
      const lines = eventsTable(events, { width, hasColor: false }).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      expect(lines[2]).toMatch(/^2026-11-23T06:13:26\.123 +shell +success .*…$/);
    }
    expect(eventsTable(events, WHOLE)).toContain(long);
  });

  it("is narrowed where there is text, and never in a number", () => {
    const measures = { ...NOTHING, bytes: 0, duration_ms: { avg: 1, p50: 1, p95: 1, max: 1 } };
    const cost = [{ currency: "USD", amount: 1234.5, unpriced_count: 1 }];
    const group = { key: { agent: "a".repeat(50), model: "m" }, ...measures, count: 12345, cost };
    const answer: AggregateAnswer = { groups: [group], other: null, total: group, applied_seq: 1 };
    const lines = aggregateTable(answer, { width: 80, hasColor: false }).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines[2]).toMatch(/^a+… +12345 .* 1234\.5000 USD, 1 unpriced$/);
  });

  it("has colours in a terminal only, and none that an event brings", () => {
    const terminal = displayOf({ isTTY: true, columns: 100 }, {});
    const table = eventsTable([event({ result: "error", description: "\u001b[2J" })], terminal);
    expect(table).toContain("\u001b[31merror");
    expect(table).toContain("\\u001b[2J");
    expect(displayOf({ isTTY: true, columns: 100 }, { NO_COLOR: "1" }).hasColor).toBe(false);
    expect(displayOf({ isTTY: false }, {})).toEqual(WHOLE);
  });

  it("tells unpriced calls apart from free ones", () => {
    const measures = {
      ...NOTHING,
      bytes: 0,
      duration_ms: { avg: null, p50: null, p95: null, max: null },
    };
    const cost = [{ currency: "USD", amount: 1.5, unpriced_count: 3 }];
    const group = { key: { agent: "a" }, ...measures, cost };
    const answer: AggregateAnswer = {
      groups: [group],
      other: null,
      total: { ...measures, cost },
      applied_seq: 1,
    };
    expect(aggregateTable(answer)).toMatch(/^a .* 1\.5000 USD, 3 unpriced$/m);
  });
});

describe("a chart", () => {
  const bucket = (start: string, shell: number, other: number) => ({
    ...NOTHING,
    start,
    count: shell + other,
    failure_count: other,
    groups: shell > 0 ? [{ key: { source: "shell" }, ...NOTHING, count: shell }] : [],
    other: other > 0 ? { ...NOTHING, count: other } : null,
  });
  const answer: TimeseriesAnswer = {
    interval: "hour",
    tz: "Asia/Kolkata",
    applied_seq: 1,
    buckets: [
      bucket("2026-11-23T06:30:00Z", 30, 10),
      bucket("2026-11-23T07:30:00Z", 0, 0),
      bucket("2026-11-23T08:30:00Z", 1, 0),
    ],
  };

  it("divides each bar by the split, with a legend", () => {
    const lines = timeseriesChart(answer, { width: 52, hasColor: false }).split("\n");
    const [, , first = "", second = "", third = "", , legend] = lines;
    expect(first).toMatch(/^2026-11-23 12:00 +40 +10 +█+·+$/);
    const bars = [first.match(/█/g)?.length ?? 0, first.match(/·/g)?.length ?? 0];
    expect((bars[0] as number) / (bars[1] as number)).toBeCloseTo(3, 0);
    expect(second).toMatch(/^2026-11-23 13:00 +0 +0$/);
    expect(third).toMatch(/^2026-11-23 14:00 +1 +0 +█$/);
    expect(legend).toBe("█ shell  · other");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(52);
  });

  it("has whole times where another program reads", () => {
    expect(timeseriesChart(answer)).toMatch(/^2026-11-23T06:30:00Z +40 /m);
  });
});
