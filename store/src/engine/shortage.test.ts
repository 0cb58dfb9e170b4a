import { expect, it } from "vitest";
import { isDamage } from "./damage.js";
import { isDiskFull, isOutOfMemory } from "./shortage.js";

/** As DuckDB 1.5 says it, after the first line cut off. */
const ERRORS = {
  query: "Out of Memory Error: could not allocate block of size 256.0 KiB (63.8 MiB/64.0 MiB used)",
  append: "Failed to append: failed to allocate data of size 16.0 KiB (72.8 MiB/64.0 MiB used)",
  commit: "TransactionContext Error: Failed to commit: failed to pin block of size 980.0 KiB",
  disk: "IO Error: Could not write file: No space left on device",
  checkpoint:
    'IO Error: Checkpoint failed for database "seg_20261127". The database has been invalidated. Original error: could not allocate block of size 256.0 KiB',
  fullCheckpoint:
    'IO Error: Checkpoint failed for database "seg_20261127". The database has been invalidated. Original error: No space left on device',
  afterwards:
    'IO Error: Database "seg_20261127" has been invalidated because checkpointing failed. Detach and reattach it before using it again. Original error: failed to pin block',
};

it("tells what passes by itself from a file that DuckDB gave up", () => {
  const kinds = Object.entries(ERRORS).map(([name, message]) => {
    const error = new Error(message);
    return [name, isOutOfMemory(error), isDiskFull(error), isDamage(error)];
  });
  expect(kinds).toEqual([
    ["query", true, false, false],
    ["append", true, false, false],
    ["commit", true, false, false],
    ["disk", false, true, false],
    ["checkpoint", false, false, true],
    ["fullCheckpoint", false, false, true],
    ["afterwards", false, false, true],
  ]);
});
