import fs from "node:fs";
import path from "node:path";
// Built code: the thread cannot be started from TypeScript.
import { encodeIdentity, IdentityThread, loadKnownAtStart, SeenRecords } from "@agent-audit/store";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";

const fileOf = (firstSeq: bigint, isSynced: boolean) => {
  const quarantined = { day: 1, bytes: Number(firstSeq), fileSeq: firstSeq };
  const bytes = encodeIdentity({ seen: new SeenRecords(), quarantined });
  return { firstSeq, isSynced, bytes };
};

describe("IdentityThread", () => {
  it("writes what it is given, in order, before it ends", async () => {
    const directory = temporaryDirectory();
    const failures: Error[] = [];
    const thread = await IdentityThread.open(directory, (error) => failures.push(error));
    for (const firstSeq of [1n, 2n, 3n]) thread.write(fileOf(firstSeq, firstSeq < 3n));
    await thread.close();
    expect(fs.readdirSync(directory)).toEqual(["00000000000000000003.ids"]);
    expect(loadKnownAtStart(directory, 2n).quarantined?.bytes).toBe(3);
    expect(failures).toEqual([]);
  });

  it("is busy until all is written", async () => {
    const thread = await IdentityThread.open(temporaryDirectory(), () => {});
    expect(thread.isBusy).toBe(false);
    thread.write(fileOf(1n, true));
    thread.write(fileOf(2n, true));
    expect(thread.isBusy).toBe(true);
    await expect.poll(() => thread.isBusy).toBe(false);
    await thread.close();
  });

  it("tells of a file that could not be written", async () => {
    const failures: Error[] = [];
    const missing = path.join(temporaryDirectory(), "missing");
    const thread = await IdentityThread.open(missing, (error) => failures.push(error));
    thread.write(fileOf(1n, true));
    await expect.poll(() => failures).toMatchObject([{ code: "ENOENT" }]);
  });
});
