import fs from "node:fs";
import path from "node:path";
import { type Disk, nodeDisk, syncDirectory } from "./journal/disk.js";
import {
  journalFileName,
  journalNames,
  openJournalFile,
  sealedName,
} from "./journal/journal-files.js";
import { type SegmentId, segmentFile, segmentFiles } from "./segment-id.js";
import type { SeqRange } from "./seq-range.js";

/** A segment that is given up for good, with its journal. */
export interface DroppedSegment extends SeqRange {
  id: SegmentId;
}

/**
 * Removes what is left of segments whose `dropped` lines are on disk: the journal last, since from it the rest could be
 * made again. A start so finishes what a crash has cut short; where nothing is left it costs two listings.
 */
export function removeDropped(
  directories: { events: string; journal: string },
  dropped: readonly DroppedSegment[],
  disk: Disk = nodeDisk,
): void {
  const ids = new Set(dropped.map(({ id }) => id));
  for (const id of segmentFiles(directories.events).filter((id) => ids.has(id))) {
    const file = segmentFile(directories.events, id);
    remove(disk, directories.events, [file, `${file}.wal`]);
  }
  for (const name of journalNames(directories.journal, disk)) {
    const { firstSeq } = name;
    if (!dropped.some((range) => firstSeq >= range.firstSeq && firstSeq <= range.lastSeq)) continue;
    const { file, source } = openJournalFile(name, disk);
    source.close();
    // After a loss of the journal, sequences may have come to stand for other events.
    if (!ids.has(file.segment)) continue;
    const plain = path.join(directories.journal, journalFileName(firstSeq));
    remove(disk, directories.journal, [plain, sealedName(plain)]);
  }
}

function remove(disk: Disk, directory: string, files: readonly string[]): void {
  for (const file of files) {
    if (fs.existsSync(file)) disk.unlinkSync(file);
  }
  syncDirectory(disk, directory);
}
