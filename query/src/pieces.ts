import {
  type ColumnName,
  QUARTER_NANOS,
  type Snapshot,
  type SnapshotSegment,
  SUMS_DIMENSIONS,
  tablesOf,
} from "@agent-audit/store";
import { FIELDS } from "./fields.js";
import type { Filter } from "./request.js";

/** A part of what a statement adds up: rows, or the sums that sealed segments carry of each quarter of an hour. */
export interface Piece {
  kind: "rows" | "sums";
  tables: readonly string[];
  /** Event times, ns since 1970 UTC; from inclusive, to exclusive; `null` for open. */
  fromNano: bigint | null;
  toNano: bigint | null;
}

/** What a statement reads: pieces that have no event in common, pinned to a sequence. */
export interface Pieces {
  pieces: readonly Piece[];
  appliedSeq: bigint;
}

/** Where nothing but rows will do. */
export function rowsOnly(snapshot: Snapshot, { fromNano, toNano }: Filter): Pieces {
  const { tables, appliedSeq } = snapshot;
  return { pieces: [{ kind: "rows", tables, fromNano, toNano }], appliedSeq };
}

/**
 * Takes sums in the place of rows where they can give the same answer: of whole quarters of an hour in sealed segments, when
 * the question is about nothing else than they tell apart.
 *
 * @param by what the answer tells apart
 * @param baseNanos length of the times that it tells apart
 */
export function piecesOf(
  snapshot: Snapshot,
  filter: Filter,
  by: readonly string[],
  baseNanos = QUARTER_NANOS,
): Pieces {
  const { segments, appliedSeq } = snapshot;
  const { fromNano, toNano } = filter;
  const innerFrom = fromNano === null ? null : fromNano + modulo(-fromNano, QUARTER_NANOS);
  const innerTo = toNano === null ? null : toNano - modulo(toNano, QUARTER_NANOS);
  const isEmpty = (innerFrom ?? 0n) >= (innerTo ?? END);
  if (isEmpty || baseNanos % QUARTER_NANOS !== 0n || !tellSums(filter, by)) {
    return rowsOnly(snapshot, filter);
  }
  const summed = segments.filter(({ sums, lastSeq }) => sums !== null && lastSeq <= appliedSeq);
  const others = segments.filter((segment) => !summed.includes(segment));
  const sums = within(summed, innerFrom, innerTo).map((segment) => segment.sums as string);
  const rows = (of: readonly SnapshotSegment[]) => (of.length === 0 ? [] : tablesOf(of));
  const edge = (from: bigint | null, to: bigint | null) =>
    from === to ? [] : piece("rows", rows(within(summed, from, to)), from, to);
  const pieces = [
    ...piece("sums", sums, innerFrom, innerTo),
    ...piece("rows", rows(others), fromNano, toNano),
    ...edge(fromNano, innerFrom),
    ...edge(innerTo, toNano),
  ];
  return pieces.length === 0 ? rowsOnly(snapshot, filter) : { pieces, appliedSeq };
}

function piece(
  kind: Piece["kind"],
  tables: readonly string[],
  fromNano: bigint | null,
  toNano: bigint | null,
): Piece[] {
  return tables.length === 0 ? [] : [{ kind, tables, fromNano, toNano }];
}

/** Beyond every time. */
const END = 2n ** 64n;
const DIMENSIONS: ReadonlySet<ColumnName> = new Set(SUMS_DIMENSIONS);

/** Whether sums tell apart all that the question is about. */
function tellSums({ scope, conditions, q, isUnfinished }: Filter, by: readonly string[]): boolean {
  const isScoped = scope.projectId !== null || scope.agentId !== null;
  if (isScoped || q !== null || isUnfinished) return false;
  return [...conditions.map(({ field }) => field), ...by].every(
    (name) => FIELDS[name]?.columns.every((column) => DIMENSIONS.has(column)) ?? false,
  );
}

/** The segments that have events from one time, inclusive, to another, exclusive. */
function within(
  segments: readonly SnapshotSegment[],
  from: bigint | null,
  to: bigint | null,
): SnapshotSegment[] {
  return segments.filter(
    ({ minTime, maxTime }) =>
      minTime !== null &&
      maxTime !== null &&
      (from === null || maxTime >= from) &&
      (to === null || minTime < to),
  );
}

/** Never negative, whatever the sign of `value`. */
function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}
