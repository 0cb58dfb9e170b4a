import { describe, it } from "vitest";
import { killRounds } from "../support/kill-rounds.js";
import { faultShare, runSeed } from "../support/seeded.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const RUNS = faultShare(1000);
/** Of every other directory: a segment rolls several times a run, and is sealed under the next ones. */
const SEGMENT_RECORDS = 50;
/** Runs on one data directory: the last check reads all that they stored. */
const RUNS_PER_DIRECTORY = 25;

describe("P1: kill -9 of the server while it ingests", () => {
  it(`loses and doubles nothing in ${RUNS} runs`, async () => {
    const seed = runSeed();
    for (let done = 0; done < RUNS; done += RUNS_PER_DIRECTORY) {
      const rounds = Math.min(RUNS_PER_DIRECTORY, RUNS - done);
      const isRolling = (done / RUNS_PER_DIRECTORY) % 2 === 0;
      const segmentRecords = isRolling ? SEGMENT_RECORDS : undefined;
      await killRounds(temporaryDirectory(), rounds, seed + done, segmentRecords);
    }
  });
});
