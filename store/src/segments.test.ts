import fs from "node:fs";
import path from "node:path";
import { type DiskGuardLimits, Store } from "@agent-audit/store";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startStore } from "../../test/support/start-store.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

const DAY = 86_400_000_000_000n;
const HOUR = DAY / 24n;
const NOON = 20_000n * DAY + DAY / 2n;
const LIMITS = { maxRecords: 4, maxJournalBytes: Number.POSITIVE_INFINITY };

type Started = Awaited<ReturnType<typeof startStore>>;

const start = (data: string, diskGuard?: DiskGuardLimits, now = NOON) =>
  startStore(data, () => now, { segmentLimits: LIMITS, ...(diskGuard && { diskGuard }) });

/** Appends events of these hours of the day, one request each. */
const append = ({ append }: Started, ...hours: number[]) => {
  for (const hour of hours) {
    const time = 20_000n * DAY + BigInt(hour) * HOUR;
    append(sampleBody(sampleEvent({ time, action: `at ${hour}` })), 1, NOON);
  }
};

const segments = async ({ store }: Started) =>
  (await store.status()).segments.map(({ part, state, rows }) => [part, state, rows]);

const seqs = async ({ store }: Started, range?: Parameters<typeof store.snapshot>[0]) => {
  expect(await store.waitForApplied(store.position.syncedSeq, 20_000)).toBe(true);
  const snapshot = await store.snapshot(range);
  try {
    const union = snapshot.tables.map((table) => `SELECT * FROM ${table}`).join(" UNION ALL ");
    const rows = await snapshot.query({
      sql: `SELECT seq, hash(e) FROM (${union}) e ORDER BY seq`,
    });
    return rows.map(([seq]) => Number(seq));
  } finally {
    snapshot.release();
  }
};

const settled = async (started: Started, expected: unknown[]) =>
  await vi.waitFor(async () => expect(await segments(started)).toEqual(expected), 20_000);

let template = "";

beforeAll(async () => {
  template = await makeThreeSegments();
});

/** Gives a data directory of two sealed segments and an open one: a copy of one that is made once. */
function threeSegments(): string {
  const data = temporaryDirectory();
  fs.cpSync(template, data, { recursive: true });
  return data;
}

async function makeThreeSegments(): Promise<string> {
  const data = temporaryDirectory();
  const started = await start(data);
  append(started, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  await settled(started, [
    [0, "sealed", 4],
    [1, "sealed", 4],
    [2, "open", 1],
  ]);
  expect(started.damaged).toEqual([]);
  await started.stop();
  return data;
}

const ALL = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const SETTLED = [
  [0, "sealed", 4],
  [1, "sealed", 4],
  [2, "open", 1],
];
const fileOf = (data: string, part: number) =>
  path.join(data, "events", `2024-10-04${part === 0 ? "" : `.${part}`}.duckdb`);

describe("segments", () => {
  it("roll within a day, are sealed, and stay so over restarts", async () => {
    const data = threeSegments();
    const again = await start(data);
    await again.following;
    expect(await segments(again)).toEqual(SETTLED);
    expect(await seqs(again)).toEqual(ALL);
    expect(again.damaged).toEqual([]);
    expect(again.progress).toEqual([]);
  });

  it("count what they hold over restarts", async () => {
    const data = temporaryDirectory();
    for (const hours of [[1, 2, 3], [4, 5, 6], [7]]) {
      const started = await start(data);
      await started.following;
      append(started, ...hours);
      await seqs(started);
      await started.stop();
    }
    const started = await start(data);
    await settled(started, [
      [0, "sealed", 4],
      [1, "open", 3],
    ]);
  });

  it("roll by the journal's bytes too, over restarts", async () => {
    const data = temporaryDirectory();
    const segmentLimits = { maxRecords: Number.POSITIVE_INFINITY, maxJournalBytes: 1_000 };
    const write = async (count: number) => {
      const started = await startStore(data, () => NOON, { segmentLimits });
      await started.following;
      const body = sampleBody(sampleEvent({ action: "x".repeat(300) }));
      for (let i = 0; i < count; i++) started.append(body, 1, NOON);
      await seqs(started);
      return started;
    };
    await (await write(1)).stop();
    const started = await write(3);
    await settled(started, [
      [0, "sealed", 2],
      [1, "open", 2],
    ]);
  });

  it("keep what each stream lacks when they are sealed", async () => {
    const data = temporaryDirectory();
    const started = await start(data);
    for (const [streamSequence, streamEnd] of [[3], [4], [9], [11, true]] as [number, boolean?][]) {
      const stream = { id: "stream-1", sequence: streamSequence, end: streamEnd ?? false };
      started.append(sampleBody(sampleEvent({ stream })), 1, NOON);
    }
    append(started, 5);
    await settled(started, [
      [0, "sealed", 4],
      [1, "open", 1],
    ]);
    const snapshot = await started.store.snapshot();
    const [table] = snapshot.tables;
    const streams = (table as string).replace(/events$/, "streams");
    const rows = await snapshot.query({
      sql: `SELECT stream_id, first_sequence, last_sequence, received, missing, last_received_time, is_ended FROM ${streams}`,
    });
    expect(rows).toEqual([
      [
        "stream-1",
        3n,
        11n,
        4n,
        [
          [5n, 8n],
          [10n, 10n],
        ],
        NOON,
        true,
      ],
    ]);
  });

  it("are left out of a snapshot of other times", async () => {
    const started = await start(threeSegments());
    await started.following;
    const at = (hour: number) => 20_000n * DAY + BigInt(hour) * HOUR;
    expect(await seqs(started, { fromNano: at(5), toNano: at(7) })).toEqual([5, 6, 7, 8]);
    expect(await seqs(started, { fromNano: at(8), toNano: null })).toEqual([5, 6, 7, 8, 9]);
    const none = await started.store.snapshot({ fromNano: at(20), toNano: null });
    expect(none.segments).toEqual([]);
    expect(await none.query({ sql: `SELECT count(*) FROM ${none.tables[0]}` })).toEqual([[0n]]);
  });
});

/** Waits until the journals of the sealed segments are compressed. */
async function droppable({ store }: Started): Promise<void> {
  const names = () => fs.readdirSync(store.directory.journal);
  const compressed = () => names().filter((name) => name.endsWith(".gz")).length;
  await vi.waitFor(() => expect(compressed()).toBe(2), 20_000);
}

async function dropOldest({ store }: Started): Promise<void> {
  const [candidate] = await store.retentionCandidates(30_000);
  await store.drop(candidate?.name as string);
}

describe("a segment that was dropped", () => {
  it("is gone after the next start, wherever the drop was cut short", async () => {
    const data = threeSegments();
    const dropping = await start(data);
    await dropping.following;
    await droppable(dropping);
    const before = ["events", "journal"]
      .flatMap((place) => fs.readdirSync(path.join(data, place)).map((name) => [place, name]))
      .map((names) => path.join(data, ...names))
      .filter((file) => /\.(duckdb|gz)$/.test(file))
      .map((file) => ({ file, bytes: fs.readFileSync(file) }));
    await dropOldest(dropping);
    await dropping.stop();
    const [events, journal] = before.filter(({ file }) => !fs.existsSync(file));
    // As a kill leaves it after each step: some of what must go is still there.
    for (const leftovers of [[events, journal], [journal], [events]] as (typeof before)[]) {
      for (const { file, bytes } of leftovers) fs.writeFileSync(file, bytes);
      const started = await start(data);
      await started.following;
      expect(await seqs(started)).toEqual([5, 6, 7, 8, 9]);
      await started.stop();
      expect(leftovers.filter(({ file }) => fs.existsSync(file))).toEqual([]);
    }
  });

  it("takes nothing with it when the journal is lost afterwards, and sequences begin again", async () => {
    const data = threeSegments();
    const dropping = await start(data);
    await dropping.following;
    await droppable(dropping);
    await dropOldest(dropping);
    expect(await seqs(dropping)).toEqual([5, 6, 7, 8, 9]);
    expect(await dropping.store.rawRecord(2n)).toBe(null);
    await dropping.stop();
    fs.rmSync(path.join(data, "journal"), { recursive: true });

    await expect(start(data)).rejects.toMatchObject({ code: "engine_ahead" });
    fs.rmSync(path.join(data, "events"), { recursive: true });
    await expect(start(data)).rejects.toMatchObject({ code: "engine_ahead" });
    const accepting = await Store.open({ data, onFatal: () => {} });
    accepting.position.syncedSeq = 0n;
    // As far as is known: when the last segment began.
    const lost = [{ firstSeq: 1n, lastSeq: 9n }];
    expect(await accepting.acceptJournalLoss()).toEqual(lost);
    await accepting.close();

    for (const expected of [[1], [1, 2], [1, 2, 3]]) {
      const started = await start(data);
      await started.following;
      append(started, expected.length);
      expect(await seqs(started)).toEqual(expected);
      expect((await started.store.rawRecord(1n))?.logRecord).toMatch("at 1");
      expect(await started.store.unrecordedLosses()).toEqual(lost);
      await started.stop();
    }
  });
});

const middle = (file: string) => Math.floor(fs.statSync(file).size / 2);
const DAMAGES: [string, (file: string) => void][] = [
  ["gone", (file) => fs.rmSync(file)],
  ["cut", (file) => fs.truncateSync(file, middle(file))],
  ["empty", (file) => fs.truncateSync(file)],
  ["overwritten", (file) => fs.writeFileSync(file, Buffer.alloc(20_000, 7))],
  ["flipped", (file) => flip(file)],
];

/** Changes a bit in every block behind the file's headers. */
function flip(file: string): void {
  const bytes = fs.readFileSync(file);
  for (let at = 12_288 + 100; at < bytes.length; at += 4096) bytes[at] = (bytes[at] as number) ^ 1;
  fs.writeFileSync(file, bytes);
}

describe("a damaged segment", () => {
  for (const part of [0, 2]) {
    it.each(DAMAGES)(
      `${part === 2 ? "of today" : "that was sealed"} is made again: %s before a start`,
      async (_, damage) => {
        const data = threeSegments();
        damage(fileOf(data, part));
        const started = await start(data);
        await started.following;
        await expect.poll(() => seqs(started).catch(() => null), { timeout: 20_000 }).toEqual(ALL);
        await settled(started, SETTLED);
        expect(started.failures).toEqual([]);
      },
    );

    it.each(DAMAGES.filter(([name]) => name === "cut" || name === "flipped"))(
      `${part === 2 ? "of today" : "that was sealed"} is made again: %s while it is open`,
      async (_, damage) => {
        const data = threeSegments();
        const started = await start(data);
        await started.following;
        damage(fileOf(data, part));
        const others = { fromNano: 20_000n * DAY + 5n * HOUR, toNano: 20_000n * DAY + 7n * HOUR };
        await expect
          .poll(
            async () => {
              expect(await seqs(started, others)).toEqual([5, 6, 7, 8]);
              return await seqs(started).catch(({ code }) => code);
            },
            { timeout: 20_000 },
          )
          .toEqual(ALL);
        append(started, 10);
        expect(await seqs(started)).toEqual([...ALL, 10]);
        await started.stop();
        const again = await start(data);
        await again.following;
        await expect
          .poll(() => seqs(again).catch(() => null), { timeout: 20_000 })
          .toEqual([...ALL, 10]);
        expect(started.failures).toEqual([]);
      },
    );
  }

  it.each([
    ["an older copy of itself", 1, 1],
    ["the file of another segment", 0, 1],
    ["a newer segment's file", 2, 0],
    ["an older segment's file", 0, 2],
  ])("is made again when it is replaced by %s", async (_, from, to) => {
    const data = threeSegments();
    const foreign = temporaryDirectory();
    fs.cpSync(fileOf(data, from), path.join(foreign, "copy"));
    if (from === to) {
      // What the segment was before it was sealed: three records of four.
      const young = temporaryDirectory();
      const started = await start(young);
      await started.following;
      append(started, 1, 2, 3, 4, 5, 6, 7);
      await seqs(started);
      await started.stop();
      fs.cpSync(fileOf(young, from), path.join(foreign, "copy"));
    }
    fs.cpSync(path.join(foreign, "copy"), fileOf(data, to));
    const started = await start(data);
    await started.following;
    await expect.poll(() => seqs(started).catch(() => null), { timeout: 20_000 }).toEqual(ALL);
    await settled(started, SETTLED);
    expect(started.damaged).toContain(to === 0 ? "2024-10-04" : `2024-10-04.${to}`);
  });

  it("keeps only questions about its times waiting", async () => {
    const data = threeSegments();
    fs.rmSync(fileOf(data, 0));
    // Nothing is made again while the disk has no room.
    const started = await start(data, { minFreeBytes: Number.MAX_SAFE_INTEGER, minFreePercent: 0 });
    started.following.catch(() => {});
    await settled(started, [
      [0, "rebuilding", 0],
      [1, "sealed", 4],
      [2, "open", 1],
    ]);
    const late = { fromNano: 20_000n * DAY + 5n * HOUR, toNano: null };
    const snapshot = await started.store.snapshot(late);
    expect(snapshot.tables.length).toBe(2);
    snapshot.release();
    const all = await started.store.snapshot();
    expect(() => all.tables).toThrow(/2024-10-04 is being rebuilt/);
    all.release();
  });

  it("is made again while events keep coming", async () => {
    const data = threeSegments();
    fs.rmSync(fileOf(data, 0));
    const started = await startStore(data, () => NOON);
    await started.following;
    const deadline = performance.now() + 20_000;
    for (let [oldest] = await segments(started); oldest?.[1] !== "sealed"; ) {
      expect(performance.now()).toBeLessThan(deadline);
      for (let i = 0; i < 20; i++) append(started, 10);
      [oldest] = await segments(started);
    }
  });

  it("is kept in damaged/", async () => {
    const data = threeSegments();
    flip(fileOf(data, 0));
    const started = await start(data);
    await started.following;
    await expect.poll(() => seqs(started).catch(() => null), { timeout: 20_000 }).toEqual(ALL);
    expect(fs.readdirSync(path.join(data, "damaged"))).toEqual([
      expect.stringMatching(/-2024-10-04\.duckdb$/),
    ]);
  });
});
