import { listJournalFiles } from "../journal/journal-files.js";
import type { SegmentId } from "../segment-id.js";

/** Says which sequences a segment must hold. */
export interface SegmentRange {
  id: SegmentId;
  firstSeq: bigint;
  lastSeq: bigint;
}

/** Reads from the journal files' headers which segments there must be, oldest first: files of one segment follow each other. */
export function segmentRanges(journalDirectory: string, syncedSeq: bigint): SegmentRange[] {
  const ranges: SegmentRange[] = [];
  const files = listJournalFiles(journalDirectory);
  files.forEach(({ segment, firstSeq }, index) => {
    const next = files[index + 1];
    const lastSeq = next === undefined ? syncedSeq : next.firstSeq - 1n;
    if (lastSeq < firstSeq) return;
    const previous = ranges.at(-1);
    if (previous?.id === segment) previous.lastSeq = lastSeq;
    else ranges.push({ id: segment, firstSeq, lastSeq });
  });
  return ranges;
}
