import { expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { silentStreams } from "./silent-streams.js";

const MINUTE = 60_000_000_000n;
/** 2026-11-23T12:00:00Z */
const NOW = 1_795_435_200_000_000_000n;

it("counts streams that did not end and are not heard, of one day", async () => {
  const server = await startQuery(temporaryDirectory());
  const send = (minutesAgo: bigint, id: string, sequence: number, end?: true) => {
    const stream = { id, sequence, ...(end && { end }) };
    const receivedNano = NOW - minutesAgo * MINUTE;
    server.append(sampleBody(sampleEvent({ id: `${id}/${sequence}`, stream })), 1, receivedNano);
  };
  send(1500n, "gone for a day", 1);
  send(1439n, "silent since yesterday", 1);
  send(60n, "ended", 1);
  send(59n, "ended", 2, true);
  send(58n, "ended, and a late record after it", 2, true);
  send(57n, "ended, and a late record after it", 1);
  send(30n, "still heard", 1);
  send(4n, "silent", 1);
  send(2n, "still heard", 2);
  server.append(sampleBody(sampleEvent({ id: "no stream" })), 1, NOW - 10n * MINUTE);
  await server.settle();
  const snapshot = await server.store.snapshot();
  expect(await silentStreams(snapshot, NOW)).toBe(2);
  expect(await silentStreams(snapshot, NOW + 2n * MINUTE)).toBe(2);
  expect(await silentStreams(snapshot, NOW - 2n * MINUTE)).toBe(1);
  snapshot.release();
});
