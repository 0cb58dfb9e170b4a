import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ProgressMeter } from "./rebuild-progress.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("reports every five seconds, and at the end", () => {
  const meter = new ProgressMeter("2026-11-23", 100n, 1100n);
  expect(meter.isDue(200n)).toBe(false);
  vi.advanceTimersByTime(5_000);
  expect(meter.isDue(350n)).toBe(true);
  expect(meter.isDue(351n)).toBe(false);
  expect(meter.progress(350n)).toEqual({
    segment: "2026-11-23",
    records: 250,
    totalRecords: 1000,
    recordsPerSecond: 50,
  });
  expect(meter.isDue(1100n)).toBe(true);
  expect(meter.isDone(1100n)).toBe(true);
});

it("counts what it was made for: a newest segment goes on", () => {
  const meter = new ProgressMeter("2026-11-23", 0n, 10n);
  vi.advanceTimersByTime(1_000);
  expect(meter.progress(25n)).toMatchObject({ records: 10, totalRecords: 10 });
});
