import { type Disk, nodeDisk } from "./disk.js";
import { FILE_HEADER_BYTES } from "./format.js";
import { FrameScanner } from "./frame-scanner.js";
import { journalNames, openJournalFile } from "./journal-files.js";

/** Adds up the quarantine frames of a segment, from their heads alone. */
export function quarantinedBytes(
  directory: string,
  segmentDay: number,
  disk: Disk = nodeDisk,
): number {
  let total = 0;
  for (const name of journalNames(directory, disk).reverse()) {
    const { file, source } = openJournalFile(name, disk);
    try {
      if (file.segmentDay !== segmentDay) break;
      const scanner = new FrameScanner(source, FILE_HEADER_BYTES, file.salt);
      for (let read = scanner.peek(); read.status === "head"; read = scanner.peek()) {
        if (read.head.kind === "quarantine") total += read.head.length;
        scanner.offset = read.end;
      }
    } finally {
      source.close();
    }
  }
  return total;
}
