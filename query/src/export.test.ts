import { EVERYTHING } from "@agent-audit/store";
import { expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startStore } from "../../test/support/start-store.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { exportStream } from "./export.js";

it("an export is cut before the next slice once its key is revoked", async () => {
  const { store, append } = await startStore(temporaryDirectory());
  const records = 5_000;
  append(sampleBody(...Array.from({ length: records }, () => sampleEvent())), records);
  const request = { format: "otlp", afterSeq: 0n, scope: EVERYTHING } as const;
  let mayGoOn = true;
  const reader = exportStream(store, request, () => mayGoOn).getReader();
  expect((await reader.read()).done).toBe(false);
  mayGoOn = false;
  // One slice is read ahead.
  await expect(Promise.all([reader.read(), reader.read()])).rejects.toThrow("revoked");
});
