import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { runSeed, seeded } from "../../test/support/seeded.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

const DAY = 86_400_000_000_000n;
const NOON = 20_000n * DAY + DAY / 2n;
const LIMITS = { maxRecords: 25, maxJournalBytes: Number.POSITIVE_INFINITY };

interface Stored {
  seq: number;
  time: bigint;
  action: string;
}

/** Starts a server and gives it events of random times, few of them rare, in many segments. */
async function start(random: () => number) {
  const server = await startQuery(temporaryDirectory(), () => NOON, undefined, {
    segmentLimits: LIMITS,
  });
  const stored: Stored[] = [];
  const write = (count: number, spreadHours: number) => {
    for (let i = 0; i < count; i++) {
      // Mostly near the time of receipt, as real events are, some far away, many at the same time.
      const hours = BigInt(Math.floor(random() * (random() < 0.1 ? 1000 : spreadHours)));
      const time = NOON + BigInt(stored.length) * 1000n - hours * 3_600_000_000_000n;
      const action = random() < 0.03 ? "rare" : "usual";
      stored.push({ seq: stored.length + 1, time: random() < 0.3 ? NOON : time, action });
      const event = stored.at(-1) as Stored;
      server.append(sampleBody(sampleEvent({ time: event.time, action })), 1, NOON);
    }
  };
  return { ...server, stored, write };
}

const ORDERS = {
  desc: (a: Stored, b: Stored) => Number(b.time - a.time) || b.seq - a.seq,
  asc: (a: Stored, b: Stored) => Number(a.time - b.time) || a.seq - b.seq,
  seq: (a: Stored, b: Stored) => a.seq - b.seq,
};

describe("GET /api/v1/events over many segments", () => {
  it("gives exactly the events of the first page's moment, in order, while others are written", async () => {
    const seed = runSeed();
    console.log(`seed ${seed}`);
    const random = seeded(seed);
    const { get, settle, stored, write, errors } = await start(random);
    write(160, 3);
    await settle();
    for (const order of ["desc", "asc", "seq"] as const) {
      for (const filter of ["", "&action=rare", "&from=2024-10-04T12:00:00Z"]) {
        const isMeant = ({ time, action }: Stored) =>
          filter === "" || (filter === "&action=rare" ? action === "rare" : time >= NOON);
        const expected = stored.filter(isMeant).sort(ORDERS[order]);
        const found: number[] = [];
        let cursor: string | null = "";
        while (cursor !== null) {
          const limit = 1 + Math.floor(random() * 60);
          const query = `order=${order}${filter}&limit=${limit}`;
          const page = await get(`/api/v1/events?${query}${cursor && `&cursor=${cursor}`}`);
          expect(page.status, JSON.stringify(page.body)).toBe(200);
          for (const event of page.body.events) found.push(event.seq);
          cursor = page.body.next_cursor;
          write(1, 1);
        }
        expect(found, `${order}${filter}`).toEqual(expected.map(({ seq }) => seq));
        await settle();
      }
    }
    expect(errors).toEqual([]);
  });
});
