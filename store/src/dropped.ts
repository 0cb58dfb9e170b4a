import fs from "node:fs";
import path from "node:path";
import { type Disk, nodeDisk, syncDirectory } from "./journal/disk.js";
import {
  journalFileName,
  journalNames,
  openJournalFile,
  sealedName,
} from "./journal/journal-files.js";
import { type SegmentId, segmentFile } from "./segment-id.js";

/** Sequences, both inclusive. */
export interface SeqRange {
  firstSeq: bigint;
  lastSeq: bigint;
}

/** A segment that is given up for good, with its journal. */
export interface DroppedSegment extends SeqRange {
  id: SegmentId;
}

/** Tells whether all sequences of a range were dropped. */
export function isDropped(dropped: readonly SeqRange[], { firstSeq, lastSeq }: SeqRange): boolean {
  let at = firstSeq;
  for (;;) {
    if (at > lastSeq) return true;
    const covering = dropped.find((range) => range.firstSeq <= at && range.lastSeq >= at);
    if (covering === undefined) return false;
    at = covering.lastSeq + 1n;
  }
}

/**
 * Removes the files of a segment whose `dropped` line is on disk: the journal last, since from it the rest could be made
 * again. What is gone already is passed over, so that a start can finish what a crash has cut short.
 */
export function removeDropped(
  directories: { events: string; journal: string },
  { id, firstSeq, lastSeq }: DroppedSegment,
  disk: Disk = nodeDisk,
): void {
  const file = segmentFile(directories.events, id);
  remove(disk, directories.events, [file, `${file}.wal`]);
  const names = journalNames(directories.journal, disk).filter(
    (name) => name.firstSeq >= firstSeq && name.firstSeq <= lastSeq,
  );
  for (const name of names) {
    const { file: found, source } = openJournalFile(name, disk);
    source.close();
    // After a loss of the journal, sequences may have come to stand for other events.
    if (found.segment !== id) continue;
    const plain = path.join(directories.journal, journalFileName(name.firstSeq));
    remove(disk, directories.journal, [plain, sealedName(plain)]);
  }
}

function remove(disk: Disk, directory: string, files: readonly string[]): void {
  for (const file of files) {
    if (fs.existsSync(file)) disk.unlinkSync(file);
  }
  syncDirectory(disk, directory);
}
