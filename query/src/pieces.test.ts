import { EVERYTHING, QUARTER_NANOS, type Snapshot, type SnapshotSegment } from "@agent-audit/store";
import { expect, it } from "vitest";
import { piecesOf } from "./pieces.js";
import type { Condition, Filter } from "./request.js";

const Q = QUARTER_NANOS;
const MILLIS = 1_000_000n;

const segment = (name: string, hasSums: boolean, first: bigint, last: bigint): SnapshotSegment => ({
  name,
  table: `${name}.events`,
  sums: hasSums ? `${name}.sums` : null,
  emptyColumns: [],
  firstSeq: 1n,
  lastSeq: 9n,
  minTime: first,
  maxTime: last,
});
/** Two sealed segments with sums, one without, one that is open. */
const segments = [
  segment("a", true, 0n, 10n * Q),
  segment("b", true, 10n * Q, 20n * Q),
  segment("old", false, 20n * Q, 30n * Q),
  segment("open", false, 30n * Q, 40n * Q),
];
const snapshot = {
  segments,
  tables: segments.map(({ table }) => table),
  appliedSeq: 9n,
} as unknown as Snapshot;

const condition = (field: string): Condition => ({
  field,
  isNegated: false,
  matches: [{ kind: "equals", value: "x" }],
});
const filter = (fields: Partial<Filter> = {}): Filter => ({
  fromNano: null,
  toNano: null,
  scope: EVERYTHING,
  conditions: [],
  q: null,
  includesSystem: false,
  phases: null,
  isUnfinished: false,
  ...fields,
});

/** Pieces as text: kind, segments, from and to in quarters. */
const read = (wanted: Filter, by: string[] = [], baseNanos?: bigint) =>
  piecesOf(snapshot, wanted, by, baseNanos).pieces.map(({ kind, tables, fromNano, toNano }) => {
    const quarters = (nano: bigint | null) =>
      nano === null ? "" : Number((nano * 100n) / Q) / 100;
    const names = tables.map((table) => table.split(".")[0]).join("+");
    return `${kind} ${names} ${quarters(fromNano)}..${quarters(toNano)}`;
  });

it("reads sums where segments have them, and rows of the others", () => {
  expect(read(filter())).toEqual(["sums a+b ..", "rows old+open .."]);
  expect(read(filter({ conditions: [condition("model")] }), ["source", "result"])).toEqual([
    "sums a+b ..",
    "rows old+open ..",
  ]);
});

it("reads rows at both ends of a range that cuts quarters", () => {
  const cut = filter({ fromNano: 5n * Q + Q / 2n, toNano: 12n * Q + Q / 4n });
  expect(read(cut)).toEqual([
    "sums a+b 6..12",
    "rows old+open 5.5..12.25",
    "rows a 5.5..6",
    "rows b 12..12.25",
  ]);
  const whole = filter({ fromNano: 5n * Q, toNano: 12n * Q });
  expect(read(whole)).toEqual(["sums a+b 5..12", "rows old+open 5..12"]);
  const within = filter({ fromNano: 5n * Q + 1n, toNano: 6n * Q - 1n });
  expect(read(within)).toHaveLength(1);
});

it.each([
  ["an agent", filter({ conditions: [condition("agent")] })],
  ["an attribute", filter({ conditions: [condition("attr.x")] })],
  ["a text", filter({ q: "x" })],
  ["actions without an end", filter({ isUnfinished: true })],
  ["one project's key", filter({ scope: { ...EVERYTHING, projectId: "p" } })],
  ["one agent's key", filter({ scope: { ...EVERYTHING, agentId: "a" } })],
  ["times beyond all quarters", filter({ fromNano: 2n ** 64n - 1n })],
  ["groups by user", filter(), ["user_id"]],
  ["buckets of ten minutes", filter(), [], 600_000n * MILLIS],
] as [string, Filter, string[]?, bigint?][])(
  "reads nothing but rows for %s",
  (_, wanted, ...more) => {
    expect(read(wanted, ...more).map((piece) => piece.split(" ")[0])).toEqual(["rows"]);
  },
);

it("reads rows of a segment that has more than the answer is pinned to", () => {
  const early = { ...snapshot, appliedSeq: 8n } as Snapshot;
  expect(piecesOf(early, filter(), []).pieces.map(({ kind }) => kind)).toEqual(["rows"]);
});
