import fs from "node:fs";
import path from "node:path";
import { JournalWriter, type Snapshot, Store } from "@agent-audit/store";
import { describe, expect, it, vi } from "vitest";
import { sampleFrame } from "../../../test/support/sample-frame.js";
import { sampleBody, sampleEvent } from "../../../test/support/sample-logs.js";
import { startStore } from "../../../test/support/start-store.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";

const DAY = 86_400_000_000_000n;
const NOON = 20_000n * DAY + DAY / 2n;
/** Holds all of DuckDB's memory for a while, and fails. */
const MEMORY_HOG = "SELECT length(string_agg(repeat('x', 1000) || range, '')) FROM range(1000000)";

/** Writes a journal of one day, one frame for each action, that no engine has seen. */
async function journalOf(...actions: string[]): Promise<string> {
  const data = temporaryDirectory();
  const store = await Store.open({ data, onFatal: () => {} });
  const { directory, storeId } = store;
  const journal = JournalWriter.open({ directory: directory.journal, storeId, now: () => NOON });
  for (const action of actions) {
    const payload = sampleBody(sampleEvent({ action }));
    journal.append(sampleFrame({ recordCount: 1, receivedNano: NOON, payload }));
  }
  journal.sync();
  journal.close();
  await store.close();
  return data;
}

function flipBit(data: string, text: string): void {
  const journal = path.join(data, "journal");
  const [name] = fs.readdirSync(journal).filter((file) => file.endsWith(".journal"));
  const file = path.join(journal, name as string);
  const bytes = fs.readFileSync(file);
  const at = bytes.indexOf(text);
  bytes[at] = (bytes[at] as number) ^ 1;
  fs.writeFileSync(file, bytes);
}

async function countOf({ tables, query }: Snapshot): Promise<unknown> {
  const union = tables.map((table) => `SELECT seq FROM ${table}`).join(" UNION ALL ");
  return (await query({ sql: `SELECT count(*) FROM (${union})` }))[0]?.[0];
}

describe("applying", () => {
  it("goes on when the journal of an older segment cannot be read to its end", async () => {
    const data = await journalOf("one", "two", "three");
    const first = await startStore(data, () => NOON + DAY);
    first.append(sampleBody(sampleEvent({})), 1);
    await first.stop();
    fs.rmSync(path.join(data, "events"), { recursive: true });
    flipBit(data, "two");
    const second = await startStore(data, () => NOON + DAY);
    await second.following;
    second.append(sampleBody(sampleEvent({})), 1);
    expect(await second.store.waitForApplied(5n, 5_000)).toBe(true);
    expect(second.failures).toEqual([]);
  });

  it("hides nothing while queries take all memory", async () => {
    const started = await startStore(temporaryDirectory(), undefined, { memoryLimitMib: 64 });
    const { store, append } = started;
    await started.following;
    append(sampleBody(sampleEvent({})), 1);
    await store.waitForApplied(1n, 5_000);
    const snapshot = await store.snapshot();
    let isDone = false;
    const errors = new Set<string>();
    const hog = async () => {
      while (!isDone) {
        await snapshot.query({ sql: MEMORY_HOG }).catch(({ code }) => errors.add(code));
      }
    };
    const hogs = [hog(), hog()];
    await vi.waitFor(() => expect(errors.size).toBe(1), 10_000);
    const content = { "agent_audit.process.stdout": "x".repeat(5_000) };
    for (let i = 0; i < 200; i++) {
      append(sampleBody(sampleEvent({ content })), 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    isDone = true;
    await Promise.all(hogs);
    snapshot.release();
    expect(await store.waitForApplied(201n, 20_000)).toBe(true);
    expect([...errors]).toEqual(["out_of_memory"]);
    expect(started).toMatchObject({ failures: [], setAside: [] });
    const after = await store.snapshot();
    expect(await countOf(after)).toBe(201n);
    after.release();
  });

  it("takes what arrives meanwhile into the same transaction, for a moment", async () => {
    const { store, append, following } = await startStore(temporaryDirectory());
    await following;
    const seen = new Set<bigint>();
    let gaps = 0;
    for (let i = 0; i < 120; i++) {
      const begin = performance.now();
      append(sampleBody(sampleEvent({})), 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.add(store.position.appliedSeq);
      if (performance.now() - begin > 12) gaps++;
    }
    expect(await store.waitForApplied(120n, 5_000)).toBe(true);
    // Not all at the end, and not each for itself, unless this machine made it come alone.
    expect(seen.size).toBeGreaterThan(1);
    expect(seen.size).toBeLessThan(15 + gaps);
  });

  it("takes nearly as much at once as there is memory", async () => {
    const started = await startStore(temporaryDirectory(), undefined, { memoryLimitMib: 64 });
    await started.following;
    const event = (mib: number) =>
      sampleEvent({ content: { "agent_audit.process.stdout": "x".repeat(mib * 1024 * 1024) } });
    // Less than a batch, and then nearly all of the memory at once.
    started.append(sampleBody(event(7)), 1);
    started.append(sampleBody(...Array.from({ length: 20 }, () => event(2.5))), 20);
    started.append(sampleBody(sampleEvent({})), 1);
    expect(await started.store.waitForApplied(22n, 60_000)).toBe(true);
    expect(started).toMatchObject({ failures: [], setAside: [] });
    const after = await started.store.snapshot();
    expect(await countOf(after)).toBe(22n);
    after.release();
  });

  it("can be stopped while segments are still compared with the journal", async () => {
    const data = temporaryDirectory();
    const limits = { maxRecords: 1, maxJournalBytes: Number.POSITIVE_INFINITY };
    const first = await startStore(data, () => NOON, { segmentLimits: limits });
    for (let i = 0; i < 10; i++) first.append(sampleBody(sampleEvent({})), 1);
    const sealed = async () =>
      (await first.store.status()).segments.filter(({ state }) => state === "sealed").length;
    await vi.waitFor(async () => expect(await sealed()).toBe(9), 20_000);
    await first.stop();
    const ends: string[] = [];
    for (let wait = 0; wait < 10; wait++) {
      const started = await startStore(data, () => NOON, { segmentLimits: limits });
      const end = started.following.then(
        () => "caught up",
        ({ code }) => code,
      );
      await new Promise((resolve) => setTimeout(resolve, wait * 3));
      await started.stop();
      ends.push(await end);
      expect(started).toMatchObject({ failures: [], damaged: [] });
    }
    expect(ends).toContain("stopping");
    expect(ends.filter((end) => end !== "stopping" && end !== "caught up")).toEqual([]);
  });
});
