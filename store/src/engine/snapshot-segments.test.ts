import { expect, it } from "vitest";
import type { CatalogLog } from "../catalog-log.js";
import type { Segment } from "./segment.js";
import { snapshotSegments, tablesOf } from "./snapshot-segments.js";

it("the newest segment may hold anything while it is made again, and says so", () => {
  const remade = {
    id: 20_000 * 2 ** 14,
    alias: "s",
    firstSeq: 4001n,
    isReadable: false,
    // Of the new file, in which there is nothing yet.
    appliedSeq: 4000n,
    lastSeq: null,
    position: { minTime: null, maxTime: null },
  } as unknown as Segment;
  const catalog = { lastSealed: () => null } as unknown as CatalogLog;
  const range = { fromNano: null, toNano: null };
  const shown = snapshotSegments([remade], catalog, range).map((segment) => segment.shown);
  // A walk by sequence that stands at 5000 must wait for it, not end.
  expect(shown[0]?.lastSeq).toBeGreaterThan(5000n);
  expect(() => tablesOf(shown)).toThrow(/is being rebuilt/);
});
