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

describe("JournalClient", () => {
  it("is open when nothing of it waits for Node's pool, which queries can keep busy", async () => {
    const onFatal = () => {};
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
    const busy = Array.from({ length: 8 }, keepPoolBusy);
    const body = Uint8Array.from(sampleBody(sampleEvent({ id: "a" })));
    const stored = journal
      .store({
        blocks: [body],
        encoding: "protobuf",
        contentEncoding: "",
        maxBodyBytes: 1e6,
        sender: NO_SENDER,
      })
      .then(({ status }) => status);
    expect(await Promise.race([stored, ...busy])).toBe("stored");
    await Promise.all(busy);
  });
});
