import { describe, expect, it } from "vitest";
import { cutConnections } from "../support/cut-connections.js";
import { stopRounds } from "../support/kill-rounds.js";
import { largeBodies } from "../support/large-bodies.js";
import { mutatedBodies } from "../support/mutated-bodies.js";
import { faultShare, runSeed } from "../support/seeded.js";
import { startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const STOPS = faultShare(200);
const REQUESTS = faultShare(3000);
const MUTATED = faultShare(50_000);
/** Liveness: the promise is 100 ms. */
const HEALTH_MILLIS = 5 * 100;

describe("P11: answers that do not arrive", () => {
  it(`double nothing in ${REQUESTS} requests of which every third is cut off`, async () => {
    await cutConnections(await startServer(temporaryDirectory()), REQUESTS);
  });
});

describe("hostile bytes", () => {
  it(`get only documented answers in ${MUTATED} requests`, async () => {
    await mutatedBodies(await startServer(temporaryDirectory()), MUTATED, runSeed());
  });
});

describe("P14: 200 connections with gzip bodies of 20 MiB", () => {
  it("leave memory bounded and /healthz answering", async () => {
    const server = await startServer(temporaryDirectory());
    const { statuses, grownMib, healthP99Millis } = await largeBodies(server, 200, 20);
    expect(statuses.filter((status) => ![200, 429, 503].includes(status))).toEqual([]);
    expect(grownMib).toBeLessThan(512);
    expect(healthP99Millis).toBeLessThan(HEALTH_MILLIS);
  });
});

describe("P16: SIGTERM while the server ingests", () => {
  it(`ends with 0 and loses nothing in ${STOPS} runs`, async () => {
    const seed = runSeed();
    for (let done = 0; done < STOPS; done += 20) {
      await stopRounds(temporaryDirectory(), Math.min(20, STOPS - done), seed + done);
    }
  });
});
