import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it, vi } from "vitest";
import { sampleBody, sampleEvent } from "../../../test/support/sample-logs.js";
import { startStore } from "../../../test/support/start-store.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";

const NOON = 20_000n * 86_400_000_000_000n + 43_200_000_000_000n;
const FILES = ["2024-10-04.duckdb", "2024-10-04.1.duckdb"];
const PLAIN = sampleBody(sampleEvent(), sampleEvent());
const OF_A_USER = sampleBody(sampleEvent({ user: { id: "u_1" } }));

const start = (data: string) =>
  startStore(data, () => NOON, {
    segmentLimits: { maxRecords: 2, maxJournalBytes: Number.POSITIVE_INFINITY },
  });

/** Says of each segment whether these columns are known to be empty. */
async function known({ store }: Awaited<ReturnType<typeof start>>) {
  expect(await store.waitForApplied(store.position.syncedSeq, 20_000)).toBe(true);
  const snapshot = await store.snapshot();
  snapshot.release();
  return snapshot.segments.map(({ emptyColumns }) =>
    (["seq", "action", "user_id", "k8s_verb"] as const).map((name) => emptyColumns.includes(name)),
  );
}

const NO_USER = [false, false, true, true];
const A_USER = [false, false, false, true];
const UNKNOWN = [false, false, false, false];

describe("columns without a value", () => {
  it("are known of each segment at any time, over restarts", async () => {
    const data = temporaryDirectory();
    const first = await start(data);
    await first.following;
    first.append(PLAIN, 2);
    first.append(OF_A_USER, 1);
    expect(await known(first)).toEqual([NO_USER, A_USER]);
    await first.stop();
    const second = await start(data);
    await second.following;
    expect(await known(second)).toEqual([NO_USER, A_USER]);
    // What was empty in this run alone is not empty in the segment.
    second.append(sampleBody(sampleEvent()), 1);
    expect(await known(second)).toEqual([NO_USER, A_USER]);
  });

  it.each([
    ["has written", "ALTER TABLE position DROP COLUMN empty_columns"],
    ["has added to", "UPDATE position SET empty_upto = applied_seq - 1"],
  ])("are not known of what an earlier version %s, which stays as it is", async (_, sql) => {
    const data = temporaryDirectory();
    const first = await start(data);
    first.append(PLAIN, 2);
    first.append(sampleBody(sampleEvent()), 1);
    const states = async () => (await first.store.status()).segments.map(({ state }) => state);
    await vi.waitFor(async () => expect(await states()).toEqual(["sealed", "open"]), 20_000);
    await first.stop();
    for (const name of FILES) {
      const instance = await DuckDBInstance.create(path.join(data, "events", name));
      const connection = await instance.connect();
      await connection.run(sql);
      connection.closeSync();
      instance.closeSync();
    }
    const second = await start(data);
    await second.following;
    second.append(OF_A_USER, 1);
    expect(await known(second)).toEqual([UNKNOWN, UNKNOWN]);
    await second.stop();
    const third = await start(data);
    await third.following;
    expect(await known(third)).toEqual([UNKNOWN, UNKNOWN]);
    expect([...second.damaged, ...third.damaged]).toEqual([]);
  });
});
