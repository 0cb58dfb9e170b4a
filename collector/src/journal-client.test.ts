import crypto from "node:crypto";
import { JournalClient } from "@agent-audit/collector";
import { Store } from "@agent-audit/store";
import { describe, expect, it, onTestFinished } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { NO_SENDER } from "./sender.js";

/** Takes a thread of Node's pool for a second or more. */
const keepPoolBusy = () =>
  new Promise<string>((resolve) => {
    crypto.pbkdf2("x", "y", 2_000_000, 64, "sha512", () => resolve("pool"));
  });

async function openJournal() {
  const failures: Error[] = [];
  const onFatal = (error: Error) => failures.push(error);
  const store = await Store.open({ data: temporaryDirectory(), onFatal });
  onTestFinished(() => store.close());
  const { journal } = await JournalClient.open({
    store,
    diskGuard: { minFreeBytes: 0, minFreePercent: 0 },
    maxQuarantineBytesPerDay: 0,
    onFatal,
  });
  onTestFinished(() => journal.close());
  await journal.begin();
  const storeEvent = async (id: string) => {
    const outcome = await journal.store({
      blocks: [Uint8Array.from(sampleBody(sampleEvent({ id })))],
      encoding: "protobuf",
      contentEncoding: "",
      maxBodyBytes: 1e6,
      sender: NO_SENDER,
    });
    return outcome.status;
  };
  return { store, journal, storeEvent, failures };
}

describe("JournalClient", () => {
  it("is open when nothing of it waits for Node's pool, which queries can keep busy", async () => {
    const { storeEvent } = await openJournal();
    const busy = Array.from({ length: 8 }, keepPoolBusy);
    expect(await Promise.race([storeEvent("a"), ...busy])).toBe("stored");
    await Promise.all(busy);
  });

  it("stores or refuses what comes while it is closed, and closes once", async () => {
    const { store, journal, storeEvent, failures } = await openJournal();
    const outcomes: string[] = [];
    const closed = [journal.close(), journal.close()];
    let isClosed = false;
    const asking = (async () => {
      for (let i = 0; !isClosed; i++) outcomes.push(await storeEvent(`${i}`));
    })();
    await Promise.all(closed);
    isClosed = true;
    await asking;
    const stored = outcomes.filter((outcome) => outcome === "stored").length;
    expect(outcomes.filter((outcome) => outcome === "failed").length).toBe(
      outcomes.length - stored,
    );
    expect(store.position.syncedSeq).toBe(BigInt(stored));
    expect(await storeEvent("later")).toBe("failed");
    expect(failures).toEqual([]);
  });
});
