import fs from "node:fs";
import path from "node:path";
import { Store } from "@agent-audit/store";
import { checkStore } from "@agent-audit/store/check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startStore } from "../../test/support/start-store.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

const NOON = 20_000n * 86_400_000_000_000n + 43_200_000_000_000n;
const LIMITS = { maxRecords: 4, maxJournalBytes: Number.POSITIVE_INFINITY };

type Started = Awaited<ReturnType<typeof startStore>>;

const start = (data: string) => startStore(data, () => NOON, { segmentLimits: LIMITS });
const journalOf = (data: string, seq: number, form = ".gz") =>
  path.join(data, "journal", `${String(seq).padStart(20, "0")}.journal${form}`);
const engineOf = (data: string, part: number) =>
  path.join(data, "events", `2024-10-04${part === 0 ? "" : `.${part}`}.duckdb`);

async function seqs({ store, following }: Started): Promise<number[]> {
  await following;
  const snapshot = await store.snapshot();
  try {
    const union = snapshot.tables.map((table) => `SELECT seq FROM ${table}`).join(" UNION ALL ");
    return (await snapshot.query({ sql: `${union} ORDER BY seq` })).map(([seq]) => Number(seq));
  } finally {
    snapshot.release();
  }
}

async function faultsOf(data: string): Promise<string[]> {
  const faults: string[] = [];
  await checkStore(data, (check) => faults.push(...check.faults));
  return faults;
}

/** Accepts what the journal has lost, as `serve --accept-journal-loss` does, which then starts again. */
async function accept(data: string, syncedSeq: bigint) {
  const store = await Store.open({ data, onFatal: () => {} });
  store.position.syncedSeq = syncedSeq;
  const lost = await store.acceptJournalLoss();
  await store.close();
  return lost;
}

let template = "";

beforeAll(async () => {
  template = temporaryDirectory();
  const started = await start(template);
  for (let i = 0; i < 9; i++) started.append(sampleBody(sampleEvent({})), 1, NOON);
  await vi.waitFor(async () => {
    const { segments } = await started.store.status();
    expect(segments.map(({ state }) => state)).toEqual(["sealed", "sealed", "open"]);
    expect(fs.existsSync(journalOf(template, 5))).toBe(true);
    expect(fs.existsSync(journalOf(template, 5, ""))).toBe(false);
  }, 20_000);
  await started.stop();
});

/** Gives a data directory of nine events in three segments, two of them sealed with their journals. */
function threeSegments(): string {
  const data = temporaryDirectory();
  fs.cpSync(template, data, { recursive: true });
  return data;
}

describe("a journal file that is gone", () => {
  it.each([
    ["the first", 1, 0, [1n, 4n]],
    ["one between", 5, 1, [5n, 8n]],
  ] as const)(
    "%s, is told before anything else is acknowledged, and can be accepted",
    async (_, seq, part, [firstSeq, lastSeq]) => {
      for (const withEngine of [true, false]) {
        const data = threeSegments();
        fs.rmSync(journalOf(data, seq));
        if (!withEngine) fs.rmSync(engineOf(data, part));
        const what = `sequences ${firstSeq} to ${lastSeq} are missing`;
        await expect(start(data)).rejects.toMatchObject({
          code: "engine_ahead",
          message: expect.stringContaining(what),
        });
        expect((await faultsOf(data))[0]).toMatch(/missing from the journal/);
        const lost = [{ firstSeq, lastSeq }];
        expect(await accept(data, 9n)).toEqual(lost);
        const left = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((seq) => seq < firstSeq || seq > lastSeq);
        for (let starts = 0; starts < 2; starts++) {
          const started = await start(data);
          expect(await seqs(started)).toEqual(left);
          expect(await started.store.unrecordedLosses()).toEqual(lost);
          let lines = "";
          for await (const slice of started.store.exportLines(0n)) lines += slice;
          expect(lines.trim().split("\n")).toHaveLength(left.length);
          await started.store.settled();
          await started.stop();
        }
        expect(await faultsOf(data)).toEqual([]);
      }
    },
  );

  it("all of them, does not pass for a new store", async () => {
    const data = threeSegments();
    fs.rmSync(path.join(data, "journal"), { recursive: true });
    fs.rmSync(path.join(data, "events"), { recursive: true });
    await expect(start(data)).rejects.toMatchObject({ code: "engine_ahead" });
    expect(await accept(data, 0n)).toEqual([{ firstSeq: 1n, lastSeq: 9n }]);
    const started = await start(data);
    expect(await seqs(started)).toEqual([]);
  });
});

describe("a journal file that is another", () => {
  it("in its store is told by its header", async () => {
    const data = threeSegments();
    fs.renameSync(journalOf(data, 1), `${data}/kept`);
    fs.renameSync(journalOf(data, 5), journalOf(data, 1));
    fs.renameSync(`${data}/kept`, journalOf(data, 5));
    await expect(start(data)).rejects.toMatchObject({
      code: "journal_corrupt",
      message: expect.stringMatching(/it is the file that begins with [15]/),
    });
  });

  it("of another store is told, whichever file it is", async () => {
    const data = threeSegments();
    const other = threeSegments();
    const ids = path.join(other, "store.json");
    const store = JSON.parse(fs.readFileSync(ids, "utf8"));
    fs.writeFileSync(ids, JSON.stringify({ ...store, store_id: "zzzzzzzzzzzz" }));
    fs.rmSync(path.join(other, "journal"), { recursive: true });
    fs.rmSync(path.join(other, "events"), { recursive: true });
    fs.rmSync(path.join(other, "catalog.log"));
    const filling = await start(other);
    for (let i = 0; i < 5; i++) filling.append(sampleBody(sampleEvent({})), 1, NOON);
    await filling.following;
    await vi.waitFor(() => expect(fs.existsSync(journalOf(other, 1))).toBe(true), 20_000);
    await filling.stop();
    fs.copyFileSync(journalOf(other, 1), journalOf(data, 1));
    await expect(start(data)).rejects.toMatchObject({ code: "journal_foreign" });
  });
});

describe("making a segment again", () => {
  it("waits until its journal has been read to its end: DuckDB's file may be the only copy", async () => {
    const data = threeSegments();
    const file = journalOf(data, 1);
    const bytes = fs.readFileSync(file);
    const at = Math.floor(bytes.length / 3);
    bytes[at] = (bytes[at] as number) ^ 0xff;
    fs.writeFileSync(file, bytes);
    const started = await start(data);
    await started.following;
    await expect(started.store.remake("2024-10-04")).rejects.toMatchObject({
      code: "journal_corrupt",
    });
    expect(await seqs(started)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await started.stop();
    const journalFaults: boolean[] = [];
    await checkStore(data, (check) => journalFaults.push(check.isJournalFault));
    expect(journalFaults).toEqual([true, false, false]);
  });
});

describe("a lock of another process on a segment's file", () => {
  it("is no damage", async () => {
    const data = threeSegments();
    const { spawn } = await import("node:child_process");
    const script = `require("@duckdb/node-api").DuckDBInstance.create(process.argv[1]).then(() => { console.log("held"); setInterval(() => {}, 1000); })`;
    const holder = spawn(process.execPath, ["-e", script, engineOf(data, 2)], {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: new URL("..", import.meta.url),
    });
    try {
      await new Promise((resolve) => holder.stdout.once("data", resolve));
      await expect(start(data)).rejects.toMatchObject({ code: "data_directory_locked" });
      expect(fs.existsSync(engineOf(data, 2))).toBe(true);
    } finally {
      holder.kill();
    }
  });
});
