import type { DroppedSegment } from "../dropped.js";
import { type JournalFile, listJournalFiles } from "../journal/journal-files.js";
import type { SegmentId } from "../segment-id.js";
import { covers, type SeqRange } from "../seq-range.js";

/** Says which sequences a segment must hold. */
export interface SegmentRange extends SeqRange {
  id: SegmentId;
}

/**
 * Reads from the journal files' headers which segments there must be, oldest first: files of one segment follow each
 * other, and what was dropped is missing.
 */
export function segmentRanges(
  journalDirectory: string,
  syncedSeq: bigint,
  dropped: readonly DroppedSegment[],
): SegmentRange[] {
  const ranges: SegmentRange[] = [];
  const holes = [...dropped].sort((a, b) => (a.firstSeq < b.firstSeq ? -1 : 1));
  const gone = new Set(dropped.map(({ id }) => id));
  const files = listJournalFiles(journalDirectory).filter(({ segment }) => !gone.has(segment));
  files.forEach(({ segment, firstSeq, nextSeq }, index) => {
    const next = files[index + 1];
    const hole = holes.find((range) => range.firstSeq > firstSeq);
    // A sealed file knows its own end.
    const followingSeq = nextSeq ?? next?.firstSeq;
    const endSeq = followingSeq === undefined ? syncedSeq : followingSeq - 1n;
    const lastSeq = hole !== undefined && hole.firstSeq <= endSeq ? hole.firstSeq - 1n : endSeq;
    if (lastSeq < firstSeq) return;
    const previous = ranges.at(-1);
    if (previous?.id === segment) previous.lastSeq = lastSeq;
    else ranges.push({ id: segment, firstSeq, lastSeq });
  });
  return ranges;
}

/**
 * Finds the sequences that must have had a journal file which is not there, oldest first. Where a file ends that is not sealed
 * yet, only reading it tells.
 *
 * @param absent what may be missing
 */
export function journalHoles(
  files: readonly JournalFile[],
  absent: readonly SeqRange[],
): SeqRange[] {
  const holes: SeqRange[] = [];
  let followingSeq: bigint | null = 1n;
  for (const { firstSeq, nextSeq } of files) {
    if (followingSeq !== null && followingSeq < firstSeq) {
      const hole = { firstSeq: followingSeq, lastSeq: firstSeq - 1n };
      if (!covers(absent, hole)) holes.push(hole);
    }
    followingSeq = nextSeq;
  }
  return holes;
}
