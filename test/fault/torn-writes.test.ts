import { describe, it } from "vitest";
import { faultShare, runSeed } from "../support/seeded.js";
import { tornWrites } from "../support/torn-writes.js";

const SEEDS = faultShare(100_000);

describe("P3: power loss that drops, tears and reorders what was not synced", () => {
  it(`loses nothing acknowledged and reports each cut, with ${SEEDS} seeds`, () => {
    const first = runSeed();
    let cuts = 0;
    for (let seed = first; seed < first + SEEDS; seed++) {
      try {
        cuts += tornWrites(seed);
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause });
      }
    }
    console.log(`seeds ${first} to ${first + SEEDS - 1}: ${cuts} cuts`);
  });
});
