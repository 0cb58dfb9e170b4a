import { describe, expect, it, vi } from "vitest";
import { sampleBody, sampleEvent } from "../../../test/support/sample-logs.js";
import { startStore } from "../../../test/support/start-store.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";

const QUARTER = 900_000_000_000n;
const NOON = 20_000n * 86_400_000_000_000n + 48n * QUARTER;

/** Seals a segment of these events, and takes a snapshot of it and of the open one after it. */
async function sealed(...events: ReturnType<typeof sampleEvent>[]) {
  const segmentLimits = {
    maxRecords: events.length,
    maxJournalBytes: Number.POSITIVE_INFINITY,
  };
  const { store, append } = await startStore(temporaryDirectory(), () => NOON, { segmentLimits });
  append(sampleBody(...events), events.length);
  append(sampleBody(sampleEvent({})), 1);
  const states = async () => (await store.status()).segments.map(({ state }) => state);
  await vi.waitFor(async () => expect(await states()).toEqual(["sealed", "open"]), 20_000);
  return await store.snapshot();
}

describe("a sealed segment", () => {
  it("carries sums of its rows for each quarter of an hour", async () => {
    const usage = (after: bigint, model: string, inputTokens: number, cost?: number) =>
      sampleEvent({
        time: NOON + after,
        usage: { model, inputTokens, ...(cost === undefined ? {} : { cost }) },
      });
    const snapshot = await sealed(
      usage(1n, "a", 1, 0.5),
      usage(2n, "a", 2),
      usage(4n, "b", 4, 0.25),
      usage(QUARTER, "b", 8, 0.125),
    );
    const [{ sums } = { sums: null }, open] = snapshot.segments;
    expect(open?.sums).toBe(null);
    const rows = await snapshot.query({
      sql: `SELECT time - ${NOON}, min_time - ${NOON}, max_time - ${NOON}, response_model, row_count, input_tokens, cost_nano, priced_count, unpriced_count FROM ${sums} ORDER BY ALL`,
    });
    expect(
      rows.map((row) => row.map((cell) => (typeof cell === "bigint" ? Number(cell) : cell))),
    ).toEqual([
      [0, 1, 2, "a", 2, 3, 500_000_000, 1, 1],
      [0, 4, 4, "b", 1, 4, 250_000_000, 1, 0],
      [Number(QUARTER), Number(QUARTER), Number(QUARTER), "b", 1, 8, 125_000_000, 1, 0],
    ]);
  });

  it("carries none that do not fit, and is sealed all the same", async () => {
    const costly = sampleEvent({ usage: { cost: 5e9 } });
    const snapshot = await sealed(costly, costly, costly, costly);
    expect(snapshot.segments.map(({ sums }) => sums)).toEqual([null, null]);
  });
});
