import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { LAUNCHER } from "../support/start-server.js";
import { startStore } from "../support/start-store.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const run = (...args: string[]) =>
  childProcess.spawnSync(process.execPath, [LAUNCHER, "store", ...args], { encoding: "utf8" });

/** Leaves a directory with three segments of 10, 10 and 5 events. */
async function madeDirectory(): Promise<string> {
  const data = temporaryDirectory();
  const { append, store, stop } = await startStore(data, undefined, {
    segmentLimits: { maxRecords: 10, maxJournalBytes: Number.POSITIVE_INFINITY },
  });
  for (let i = 0; i < 25; i++) append(sampleBody(sampleEvent()), 1);
  await store.waitForApplied(25n, 20_000);
  await stop();
  return data;
}

describe("agent-audit store", () => {
  it("seals what has ended, makes segments again, and finds no difference", async () => {
    const data = await madeDirectory();
    const seal = run("seal", "--data", data);
    expect([seal.stdout, seal.stderr, seal.status]).toEqual([
      "3 segments with 25 events, 2 of them sealed\n",
      "",
      0,
    ]);
    const compressed = () =>
      fs.readdirSync(path.join(data, "journal")).filter((name) => name.endsWith(".gz")).length;
    expect(compressed()).toBe(2);

    const events = path.join(data, "events");
    const [first = "", ...others] = fs.readdirSync(events).sort();
    const inode = (name: string) => fs.statSync(path.join(events, name)).ino;
    const before = [first, ...others].map(inode);
    const one = run("rebuild", first.replace(".duckdb", ""), "--data", data);
    expect([one.stdout, one.status]).toEqual(["3 segments with 25 events, 2 of them sealed\n", 0]);
    expect([first, ...others].map((name, i) => inode(name) === before[i])).toEqual([
      false,
      true,
      true,
    ]);
    expect(run("rebuild", "--data", data).stderr).toMatch(/10 of 10 records made from the journal/);
    expect([first, ...others].some((name, i) => inode(name) === before[i])).toBe(false);
    expect(run("check", "--data", data)).toMatchObject({ status: 0, stderr: "" });
  });

  it("says which segments there are when one is not known", async () => {
    const { status, stderr } = run("rebuild", "1999-01-01", "--data", await madeDirectory());
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/no segment 1999-01-01\nhint: there are: 20/),
    ]);
  });
});
