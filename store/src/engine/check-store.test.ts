import fs from "node:fs";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { sampleBody, sampleEvent } from "../../../test/support/sample-logs.js";
import { startStore } from "../../../test/support/start-store.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
import { checkStore, type SegmentCheck } from "./check-store.js";

const NOON = 20_000n * 86_400_000_000_000n;
const SEALED = "2024-10-04.duckdb";
const OPEN = "2024-10-04.1.duckdb";

let template = "";

beforeAll(async () => {
  template = await makeStored();
});

/** Gives a data directory of a sealed and an open segment: a copy of one that is made once. */
function stored(): string {
  const data = temporaryDirectory();
  fs.cpSync(template, data, { recursive: true, preserveTimestamps: true });
  return data;
}

async function makeStored(): Promise<string> {
  const data = temporaryDirectory();
  const segmentLimits = { maxRecords: 4, maxJournalBytes: Number.POSITIVE_INFINITY };
  const { append, store, stop } = await startStore(data, () => NOON, { segmentLimits });
  for (const count of [2, 2, 3]) {
    const events = Array.from({ length: count }, (_, i) =>
      sampleEvent({ action: `action ${i}`, metadata: { "x.y": BigInt(i) } }),
    );
    append(sampleBody(...events), count, NOON);
  }
  append(Buffer.from("no request at all"), 1, NOON);
  const states = async () => (await store.status()).segments.map(({ state }) => state);
  await vi.waitFor(async () => expect(await states()).toEqual(["sealed", "open"]), 20_000);
  expect(await store.waitForApplied(8n, 20_000)).toBe(true);
  await stop();
  return data;
}

async function check(data: string): Promise<SegmentCheck[]> {
  const checks: SegmentCheck[] = [];
  await checkStore(data, (segment) => checks.push(segment));
  return checks;
}

const inFile = async (data: string, name: string, sql: string) => {
  const instance = await DuckDBInstance.create(path.join(data, "events", name));
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
};

describe("checkStore", () => {
  it("finds nothing where nothing is wrong, and changes nothing", async () => {
    const data = stored();
    const listing = () =>
      ["events", "journal"].flatMap((place) =>
        fs.readdirSync(path.join(data, place)).map((name) => {
          const { size, mtimeMs } = fs.statSync(path.join(data, place, name));
          return [name, size, mtimeMs];
        }),
      );
    const before = listing();
    const nothing = { behind: 0n, faults: [], isJournalFault: false };
    expect(await check(data)).toEqual([
      {
        segment: "2024-10-04",
        firstSeq: 1n,
        lastSeq: 4n,
        records: 4n,
        setAside: 0,
        ...nothing,
      },
      {
        segment: "2024-10-04.1",
        firstSeq: 5n,
        lastSeq: 8n,
        records: 4n,
        setAside: 1,
        ...nothing,
      },
    ]);
    expect(listing()).toEqual(before);
  });

  it.each([
    [
      "a changed field",
      SEALED,
      "UPDATE events SET action = 'other' WHERE seq = 3",
      "the row of sequence 3 differs from its record",
    ],
    [
      "a changed attribute",
      OPEN,
      "UPDATE events SET attributes = MAP {'x.y': '7'} WHERE seq = 6",
      "the row of sequence 6 differs from its record",
    ],
    [
      "a changed time",
      OPEN,
      "UPDATE events SET time = time + 1 WHERE seq = 5",
      "the row of sequence 5 differs from its record",
    ],
    [
      "a lost row",
      SEALED,
      "DELETE FROM events WHERE seq = 2; UPDATE position SET row_count = 3",
      "the row of sequence 2 is missing",
    ],
    [
      "a row that nobody hides",
      SEALED,
      "DELETE FROM events WHERE seq = 2",
      "it has 3 rows, its position says 4",
    ],
    [
      "a row too many",
      OPEN,
      "INSERT INTO events SELECT * FROM events WHERE seq = 7; UPDATE position SET row_count = 4",
      "the row of sequence 7 differs from its record",
    ],
    [
      "a row of no record",
      OPEN,
      "INSERT INTO events SELECT * REPLACE (8 AS seq) FROM events WHERE seq = 7; UPDATE position SET row_count = 4",
      "the row of sequence 8 is no record's",
    ],
    [
      "a hidden record",
      OPEN,
      "DELETE FROM events WHERE seq = 7; UPDATE position SET row_count = 2; INSERT INTO set_aside VALUES (7, 'hidden')",
      "sequence 7 was set aside, but it can be a row",
    ],
    [
      "a changed sum",
      SEALED,
      "UPDATE sums SET row_count = row_count + 1",
      "2 of its sums are not those of its rows",
    ],
    ["lost sums", SEALED, "DELETE FROM sums", "1 of its sums are not those of its rows"],
    [
      "values that pages do not read",
      SEALED,
      "UPDATE position SET empty_columns = ['user_id', 'action']",
      "4 values stand in columns that it calls empty",
    ],
    ["a foreign file", OPEN, "UPDATE position SET store_id = 'other'", "it belongs to store other"],
    [
      "a position past the journal",
      OPEN,
      "UPDATE position SET applied_seq = 9",
      "it holds sequences up to 9, the journal up to 8",
    ],
  ])("finds %s", async (_, file, sql, fault) => {
    const data = stored();
    await inFile(data, file, sql);
    const [sealed, open] = await check(data);
    expect((file === SEALED ? sealed : open)?.faults).toContain(fault);
    expect((file === SEALED ? open : sealed)?.faults).toEqual([]);
  });

  it.each([
    ["is missing", (file: string) => fs.rmSync(file), "its file is missing"],
    [
      "is no database",
      (file: string) => fs.writeFileSync(file, "x"),
      "not a valid DuckDB database",
    ],
    ["cannot be read to its end", (file: string) => fs.truncateSync(file, 20_000), "read"],
  ])("finds a file that %s", async (_, damage, fault) => {
    const data = stored();
    damage(path.join(data, "events", SEALED));
    expect((await check(data))[0]?.faults.join()).toContain(fault);
  });

  it("tells what is not applied yet from what is wrong", async () => {
    const data = stored();
    await inFile(
      data,
      OPEN,
      "DELETE FROM events WHERE seq > 6; UPDATE position SET row_count = 2, applied_seq = 6; DELETE FROM set_aside",
    );
    expect((await check(data))[1]).toMatchObject({ records: 2n, behind: 2n, faults: [] });
  });

  it("finds a file that no journal stands behind", async () => {
    const data = stored();
    fs.cpSync(path.join(data, "events", OPEN), path.join(data, "events", "2024-10-09.duckdb"));
    expect((await check(data)).at(-1)).toMatchObject({
      segment: "2024-10-09",
      faults: ["the journal has none of its events"],
    });
  });
});
