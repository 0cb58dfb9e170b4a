import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { runSeed, seeded } from "../support/seeded.js";
import { startQuery } from "../support/start-query.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const DAY = 86_400_000_000_000n;
const START = 20_000n * DAY;
const STEPS = 120;
/** 1970, a usual time, the last time of a signed 64-bit number (2262), and that of an unsigned one (2554). */
const EVENT_TIMES = [1n, START, 2n ** 63n - 1n, 2n ** 64n - 1n];

describe("P17: clocks that jump", () => {
  it("leave pages in the order of (time, seq), and segments in that of receipt", async () => {
    const seed = runSeed();
    console.log(`seed ${seed}`);
    const random = seeded(seed);
    const data = temporaryDirectory();
    let now = START;
    const server = await startQuery(data, () => now);
    const stored: { seq: number; time: bigint }[] = [];
    let latestDay = 0n;
    for (let step = 0; step < STEPS; step++) {
      // Up to two days on or back, at times to 1970 and to 2262 and back again.
      const jump = BigInt(Math.floor((random() - 0.4) * 2 * 86_400)) * 1_000_000_000n;
      const odd = random();
      now = odd < 0.03 ? 1n : START + (jump > 0n ? jump : 0n) + BigInt(step) * (DAY / 40n) + jump;
      if (now < 1n) now = 1n;
      const time = EVENT_TIMES[Math.floor(random() * EVENT_TIMES.length)] as bigint;
      stored.push({ seq: step + 1, time });
      server.append(sampleBody(sampleEvent({ time, action: `step ${step}` })), 1, now);
      const day = now / DAY;
      if (day > latestDay) latestDay = day;
    }
    await server.settle();
    const states = async () =>
      (await server.store.status()).segments.map(({ state }) => state).slice(0, -1);
    await expect
      .poll(async () => (await states()).every((state) => state === "sealed"), { timeout: 30_000 })
      .toBe(true);
    for (const order of ["desc", "asc"] as const) {
      const sign = order === "desc" ? -1 : 1;
      const expected = [...stored].sort(
        (a, b) => sign * (Number(a.time > b.time) - Number(a.time < b.time) || a.seq - b.seq),
      );
      const found: number[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const page = await server.get(
          `/api/v1/events?order=${order}&limit=17${cursor && `&cursor=${cursor}`}`,
        );
        expect(page.status, JSON.stringify(page.body)).toBe(200);
        for (const { seq } of page.body.events) found.push(seq);
        cursor = page.body.next_cursor;
      }
      expect(found).toEqual(expected.map(({ seq }) => seq));
    }
    const { segments } = await server.store.status();
    const days = segments.map(({ day }) => day);
    expect(days).toEqual([...days].sort());
    expect(days.at(-1)).toBe(new Date(Number(latestDay) * 86_400_000).toISOString().slice(0, 10));
    // By the time of receipt: a segment is a candidate when its day lies before, whatever its events claim.
    const candidates = async () => await server.store.retentionCandidates(Number(latestDay));
    await expect
      .poll(async () => (await candidates()).map(({ name }) => name), { timeout: 30_000 })
      .toEqual(days.slice(0, -1));
    expect(await server.store.retentionCandidates(Number(START / DAY))).toEqual([]);
    expect(server.failures).toEqual([]);
    expect(fs.existsSync(path.join(data, "events"))).toBe(true);
  });
});
