import { AuditError } from "@agent-audit/schema";
import type { CatalogLog } from "../catalog-log.js";
import { type SegmentId, segmentName } from "../segment-id.js";
import { MAX_SEQ } from "../seq-range.js";
import type { ColumnName } from "./columns.js";
import type { Segment } from "./segment.js";

/** Stands for the segments where there is none to read, so that every query has a table. */
export const NO_EVENTS = "catalog.main.no_events";

/** Limits event times, ns since 1970 UTC: from, inclusive, and to, exclusive; `null` for no limit. */
export interface TimeRange {
  fromNano: bigint | null;
  toNano: bigint | null;
}

/** One segment as a snapshot shows it. */
export interface SnapshotSegment {
  name: string;
  /** Qualified name of the events table; `null` while the segment cannot be read. */
  table: string | null;
  /** Qualified name of the table of its rows' sums; `null` where it has none. */
  sums: string | null;
  /** Columns of the events table that are known to hold nothing. */
  emptyColumns: readonly ColumnName[];
  firstSeq: bigint;
  /** Last sequence that it holds now, or may hold while it cannot be read. */
  lastSeq: bigint;
  /** Least and greatest event time; `null` where that is not known, or there are no rows. */
  minTime: bigint | null;
  maxTime: bigint | null;
}

/** Names a snapshot's segments, and the lease that keeps them. */
export interface LeasedSegments {
  lease: number;
  /** Oldest first. */
  segments: SnapshotSegment[];
}

/** Shows the segments that can hold events of a range. */
export function snapshotSegments(
  segments: readonly Segment[],
  catalog: CatalogLog,
  range: TimeRange,
): { id: SegmentId; shown: SnapshotSegment }[] {
  return segments
    .map((segment) => ({ id: segment.id, shown: shownSegment(segment, catalog) }))
    .filter(({ shown }) => overlaps(shown, range));
}

/** @throws AuditError `segment_rebuilding` when one of them cannot be read now */
export function tablesOf(segments: readonly SnapshotSegment[]): string[] {
  if (segments.length === 0) return [NO_EVENTS];
  return segments.map(({ table, name }) => table ?? refuse(name));
}

function refuse(name: string): never {
  throw new AuditError(
    "segment_rebuilding",
    `the segment ${name} is being rebuilt from the journal`,
    "ask again in a few seconds, or for a time range without it; /api/v1/status shows the progress",
  );
}

/** The bounds of a segment that cannot be read are those that it had when it was sealed; the newest may hold anything. */
function shownSegment(segment: Segment, catalog: CatalogLog): SnapshotSegment {
  const { id, alias, firstSeq, isReadable, appliedSeq, lastSeq, position, hasSums } = segment;
  const last = catalog.lastSealed(id);
  // A catalog that is newer than the journal, as in a backup, may know of more than is there.
  const sealed = last?.first_seq === firstSeq && last.last_seq === lastSeq ? last : null;
  return {
    name: segmentName(id),
    table: isReadable ? `${alias}.events` : null,
    sums: isReadable && hasSums ? `${alias}.sums` : null,
    emptyColumns: position.emptyColumns,
    firstSeq,
    lastSeq: isReadable ? appliedSeq : (lastSeq ?? MAX_SEQ),
    minTime: isReadable ? position.minTime : (sealed?.min_time ?? null),
    maxTime: isReadable ? position.maxTime : (sealed?.max_time ?? null),
  };
}

function overlaps(
  { table, minTime, maxTime }: SnapshotSegment,
  { fromNano, toNano }: TimeRange,
): boolean {
  // Readable and without bounds is without rows; unreadable and without bounds may hold anything.
  if (minTime === null || maxTime === null) return table === null;
  return (fromNano === null || maxTime >= fromNano) && (toNano === null || minTime < toNano);
}
