import fs from "node:fs";
import { expect, it, vi } from "vitest";
import { sampleBody, sampleEvent } from "../../../test/support/sample-logs.js";
import { startStore } from "../../../test/support/start-store.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
// Built code, as the store's threads need it.
import { EngineClient } from "../../dist/engine/engine-client.js";

const NOON = 20_000n * 86_400_000_000_000n + 43_200_000_000_000n;

it("seals a segment that ended before the engine looked at the journal", async () => {
  const { follow } = EngineClient.prototype;
  let look = () => {};
  const isDue = new Promise<void>((resolve) => {
    look = resolve;
  });
  const spy = vi.spyOn(EngineClient.prototype, "follow");
  spy.mockImplementationOnce(async function (this: EngineClient) {
    await isDue;
    await follow.call(this);
  });
  const segmentLimits = { maxRecords: 4, maxJournalBytes: Number.POSITIVE_INFINITY };
  const { store, append, following } = await startStore(temporaryDirectory(), () => NOON, {
    segmentLimits,
  });
  spy.mockRestore();
  for (let i = 0; i < 5; i++) append(sampleBody(sampleEvent({})), 1, NOON);
  look();
  await following;
  const sealed = () => fs.readdirSync(store.directory.journal).filter((name) => /gz$/.test(name));
  await expect.poll(sealed, { timeout: 20_000 }).toHaveLength(1);
});
