import { it } from "vitest";
import { checkQueries } from "../support/query-property.js";
import { faultShare, runSeed } from "../support/seeded.js";

it("random questions about 20,000 events are answered as a plain search in memory answers them", async () => {
  const rounds = faultShare(1_000);
  await checkQueries({ events: 20_000, segmentRecords: 2_000, rounds, seed: runSeed() });
}, 3_600_000);
