import { listJournalFiles } from "../journal/journal-files.js";

/** Says which sequences a segment must hold. */
export interface SegmentRange {
  /** Days since 1970 UTC. */
  day: number;
  firstSeq: bigint;
  lastSeq: bigint;
}

/** Reads from the journal files' headers which segments there must be, oldest first: files of one day follow each other. */
export function segmentRanges(journalDirectory: string, syncedSeq: bigint): SegmentRange[] {
  const ranges: SegmentRange[] = [];
  const files = listJournalFiles(journalDirectory);
  files.forEach(({ segmentDay, firstSeq }, index) => {
    const next = files[index + 1];
    const lastSeq = next === undefined ? syncedSeq : next.firstSeq - 1n;
    if (lastSeq < firstSeq) return;
    const previous = ranges.at(-1);
    if (previous?.day === segmentDay) previous.lastSeq = lastSeq;
    else ranges.push({ day: segmentDay, firstSeq, lastSeq });
  });
  return ranges;
}
