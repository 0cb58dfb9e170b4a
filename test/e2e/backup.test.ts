import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { GroupCommit, Ingest, NO_SENDER } from "@agent-audit/collector";
import {
  JournalReader,
  JournalWriter,
  nodeDisk,
  sealableFiles,
  sealJournal,
} from "@agent-audit/store";
import { describe, expect, it } from "vitest";
import { Ledger } from "../support/ledger.js";
import { idsOf, sampleBody, sampleEvent } from "../support/sample-logs.js";
import { ROOT, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const DAY = 86_400_000_000_000n;
const STORE_ID = "abcdefghij23";
/** The test waits for a state; how soon it comes is no promise. The default is a second. */
const LIVENESS = { timeout: 30_000 };

/** The commands of the page, as they stand there. */
const SCRIPT = /## Backup and restore[\s\S]*?```sh\n([\s\S]*?)```/.exec(
  fs.readFileSync(path.join(ROOT, "docs/operating.md"), "utf8"),
)?.[1] as string;

async function backUp(source: string, target: string): Promise<number> {
  const env = { ...process.env, SOURCE: source, TARGET: target };
  const script = childProcess.spawn("sh", ["-c", SCRIPT], { env, stdio: "ignore" });
  return await new Promise((resolve) => script.once("close", resolve));
}

describe("a backup by the commands of docs/operating.md", () => {
  it("of a server under load holds all that was acknowledged before, and starts", async () => {
    const [data, copy] = [temporaryDirectory(), temporaryDirectory()];
    const server = await startServer(data);
    const ledger = new Ledger();
    let isDone = false;
    const writers = Array.from({ length: 4 }, async () => {
      while (!isDone) expect(await ledger.send(server.otlpUrl, ledger.issue(20))).toBe(200);
    });
    await expect.poll(() => ledger.acknowledged.size, LIVENESS).toBeGreaterThan(2000);
    const before = [...ledger.acknowledged];
    expect(await backUp(data, copy)).toBe(0);
    isDone = true;
    await Promise.all(writers);
    const restored = await startServer(copy);
    await ledger.compare(server);
    await ledger.compareWith(restored, before);
  });

  it("while files are rotated and sealed has no gap", async () => {
    const source = temporaryDirectory();
    const directory = path.join(source, "journal");
    fs.mkdirSync(directory);
    fs.writeFileSync(path.join(source, "store.json"), "{}");
    let now = 20_000n * DAY;
    const ingest = Ingest.open({
      directory,
      storeId: STORE_ID,
      diskGuard: { minFreeBytes: 0, minFreePercent: 0 },
      maxQuarantineBytesPerDay: 0,
      rotateBytes: 20_000,
      now: () => now,
    });
    const acknowledged: number[] = [];
    const commit = new GroupCommit(ingest, (outcomes) => {
      for (const [id] of outcomes) acknowledged.push(id);
    });
    let next = 0;
    const writeOn = () => {
      for (let i = 0; i < 20; i++) {
        const body = sampleBody(sampleEvent({ id: `${++next}`, action: "a".repeat(500) }));
        commit.store(next, {
          blocks: [body],
          encoding: "protobuf",
          contentEncoding: "",
          maxBodyBytes: 1e6,
          sender: NO_SENDER,
        });
        commit.sync();
      }
      if (next % 200 === 0) now += DAY;
      for (const name of sealableFiles(directory, nodeDisk)) sealJournal(nodeDisk, directory, name);
    };
    for (let i = 0; i < 20; i++) writeOn();
    for (let round = 0; round < 5; round++) {
      const target = temporaryDirectory();
      const before = acknowledged.length;
      let isDone = false;
      const copying = backUp(source, target).finally(() => {
        isDone = true;
      });
      while (!isDone) {
        writeOn();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await copying).toBe(0);
      const copied = path.join(target, "journal");
      const journal = JournalWriter.open({ directory: copied, storeId: STORE_ID, now: () => now });
      const ids = readIds(copied, journal.syncedSeq);
      journal.close();
      expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => `${i + 1}`));
      expect(ids.length).toBeGreaterThanOrEqual(before);
    }
    commit.close();
  });

  it("fails where a file cannot be copied", async () => {
    const source = temporaryDirectory();
    fs.mkdirSync(path.join(source, "journal"));
    fs.writeFileSync(path.join(source, "store.json"), "{}");
    fs.symlinkSync("nowhere", path.join(source, "journal", `${"0".repeat(19)}1.journal`));
    expect(await backUp(source, temporaryDirectory())).not.toBe(0);
  });
});

function readIds(directory: string, syncedSeq: bigint): string[] {
  const reader = new JournalReader(directory, 1n);
  const ids: string[] = [];
  for (let read = reader.next(syncedSeq); read !== null; read = reader.next(syncedSeq)) {
    ids.push(...idsOf(read.frame.payload));
  }
  reader.close();
  return ids;
}
