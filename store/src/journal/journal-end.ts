import { type Disk, nodeDisk } from "./disk.js";
import { FILE_HEADER_BYTES, nextSeqOf } from "./format.js";
import { FrameScanner } from "./frame-scanner.js";
import { journalNames, openJournalFile } from "./journal-files.js";

/** Finds the sequence that follows the journal's last whole frame, without changing anything as recovery does. */
export function journalEnd(directory: string, disk: Disk = nodeDisk): bigint {
  const newest = journalNames(directory, disk).at(-1);
  if (newest === undefined) return 1n;
  const { file, source } = openJournalFile(newest, disk);
  try {
    const scanner = new FrameScanner(source, FILE_HEADER_BYTES, file.salt);
    let end = file.firstSeq;
    for (let read = scanner.next(); read.status === "frame"; read = scanner.next()) {
      end = nextSeqOf(read.frame);
    }
    return end;
  } finally {
    source.close();
  }
}
