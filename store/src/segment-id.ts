import fs from "node:fs";
import path from "node:path";

const MILLIS_PER_DAY = 86_400_000;
const NANOS_PER_DAY = 86_400_000_000_000n;
const MAX_PARTS = 2 ** 14;
/** Bits of a day in a journal file's header: they last until the year 2687. */
const DAY_BITS = 18;
const SUFFIX = ".duckdb";
const NAME = /^(\d{4}-\d{2}-\d{2})(?:\.([1-9]\d*))?$/;

/**
 * Names a segment: a UTC receive day, and within it a part, from 0, for days with more records than one segment
 * takes. Ordered as numbers are.
 */
export type SegmentId = number;

/** Stands for a journal without a segment; before every other. */
export const NO_SEGMENT: SegmentId = 0;

/** Days since 1970 UTC. */
export function dayOf(id: SegmentId): number {
  return Math.floor(id / MAX_PARTS);
}

export function partOf(id: SegmentId): number {
  return id % MAX_PARTS;
}

/** Gives the first segment of the day of a time, ns since 1970 UTC. */
export function segmentOfTime(nanos: bigint): SegmentId {
  return Number(nanos / NANOS_PER_DAY) * MAX_PARTS;
}

/** Gives the next segment of the same day; the last one possible is followed by itself. */
export function nextPart(id: SegmentId): SegmentId {
  return partOf(id) === MAX_PARTS - 1 ? id : id + 1;
}

/** Writes an id into the 32 bits of a journal file's header: the day, and above it the part. */
export function toHeaderWord(id: SegmentId): number {
  return dayOf(id) + partOf(id) * 2 ** DAY_BITS;
}

export function fromHeaderWord(word: number): SegmentId {
  return (word % 2 ** DAY_BITS) * MAX_PARTS + Math.floor(word / 2 ** DAY_BITS);
}

/** Writes a day as `YYYY-MM-DD`. */
export function dayText(day: number): string {
  return new Date(day * MILLIS_PER_DAY).toISOString().slice(0, 10);
}

/** Writes an id as `YYYY-MM-DD`, or `YYYY-MM-DD.N` for later parts of a day. */
export function segmentName(id: SegmentId): string {
  const part = partOf(id);
  return dayText(dayOf(id)) + (part === 0 ? "" : `.${part}`);
}

/** Reads what {@link segmentName} writes; `null` for anything else. */
export function parseSegmentName(name: string): SegmentId | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  const millis = Date.parse(`${match[1]}T00:00:00Z`);
  const part = Number(match[2] ?? 0);
  if (Number.isNaN(millis) || part >= MAX_PARTS) return null;
  return (millis / MILLIS_PER_DAY) * MAX_PARTS + part;
}

/** Names the DuckDB file of a segment. */
export function segmentFile(eventsDirectory: string, id: SegmentId): string {
  return path.join(eventsDirectory, `${segmentName(id)}${SUFFIX}`);
}

/** Lists the segments that have a DuckDB file. */
export function segmentFiles(eventsDirectory: string): SegmentId[] {
  return fs
    .readdirSync(eventsDirectory)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => parseSegmentName(name.slice(0, -SUFFIX.length)))
    .filter((id) => id !== null);
}
