import { it } from "vitest";
import { checkQueries } from "../../test/support/query-property.js";
import { runSeed } from "../../test/support/seeded.js";

it("answers random questions as a plain search in memory does", async () => {
  await checkQueries({ events: 2_000, segmentRecords: 220, rounds: 8, seed: runSeed() });
});
