import fs from "node:fs";
import path from "node:path";
// Built code: the thread cannot be started from TypeScript.
import { JournalWriter, ThreadSyncer } from "@agent-audit/store";
import { describe, expect, it, onTestFinished } from "vitest";
import { sampleFrame } from "../../../test/support/sample-frame.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";

const TODAY = 20_000n * 86_400_000_000_000n;

const open = async (directory: string, onEnded: () => void) => {
  const syncer = await ThreadSyncer.open(onEnded);
  onTestFinished(() => syncer.close());
  const journal = JournalWriter.open({
    directory,
    storeId: "abcdefghij23",
    now: () => TODAY,
    rotateBytes: 2000,
    syncer,
  });
  const append = () => {
    journal.rotateIfDue(TODAY);
    return journal.append(sampleFrame({ receivedNano: TODAY, payload: Buffer.alloc(300) }));
  };
  return { syncer, journal, append };
};

describe("ThreadSyncer", () => {
  it("makes durable what was written before it started, and tells on the event loop", async () => {
    let ended = 0;
    const { journal, append } = await open(temporaryDirectory(), () => ended++);
    append();
    journal.startSync();
    append();
    expect(journal.syncedSeq).toBe(0n);
    await expect.poll(() => ended).toBe(1);
    expect(journal.isSyncing()).toBe(false);
    expect(journal.syncedSeq).toBe(1n);
    journal.sync();
    expect(journal.syncedSeq).toBe(2n);
    journal.close();
  });

  it("lets a rotation and a close wait for the sync that runs", async () => {
    const directory = temporaryDirectory();
    const { journal, append } = await open(directory, () => {});
    for (let i = 0; i < 50; i++) {
      append();
      journal.startSync();
    }
    expect(fs.readdirSync(directory).length).toBeGreaterThan(5);
    journal.close();
    expect(journal.syncedSeq).toBe(50n);
  });

  it("hands an error of the disk to whoever asks next, and goes on with nothing", async () => {
    let ended = 0;
    const { syncer } = await open(temporaryDirectory(), () => ended++);
    const fd = fs.openSync(path.join(temporaryDirectory(), "file"), "w");
    fs.closeSync(fd);
    syncer.start(fd);
    expect(() => syncer.wait()).toThrow(/the sync failed with EBADF/);
    await expect.poll(() => ended).toBe(1);
    expect(() => syncer.hasEnded()).toThrow(/EBADF/);
  });
});
