import { describe, expect, it } from "vitest";
import { cutConnections } from "../support/cut-connections.js";
import { faultPoints } from "../support/fault-points.js";
import { stopRounds } from "../support/kill-rounds.js";
import { runSeed } from "../support/seeded.js";
import { startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { tornWrites } from "../support/torn-writes.js";

// Short forms of what `npm run test:fault` runs in full.

describe("the journal", () => {
  it("survives a fault at every fifth file operation", () => {
    const seed = runSeed();
    console.log(`fault points, seed ${seed}`);
    expect(faultPoints(seed, 5)).toBeGreaterThan(40);
  });

  it("survives power loss that drops, tears and reorders writes, with 1,000 seeds", () => {
    const first = runSeed();
    console.log(`torn writes, seeds from ${first}`);
    for (let seed = first; seed < first + 1000; seed++) {
      try {
        tornWrites(seed);
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause });
      }
    }
  });
});

describe("the server", () => {
  it("stores once what is sent again because its answer was cut off", async () => {
    await cutConnections(await startServer(temporaryDirectory()), 90);
  });

  it("ends with 0 and loses nothing when it is stopped in the middle of ingest", async () => {
    await stopRounds(temporaryDirectory(), 4, runSeed());
  });
});
