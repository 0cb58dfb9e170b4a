import { dayOf } from "../segment-id.js";
import { type Disk, nodeDisk } from "./disk.js";
import { EMPTY_FRAME_BYTES, FILE_HEADER_BYTES } from "./format.js";
import { FrameScanner } from "./frame-scanner.js";
import { journalNames, openJournalFile } from "./journal-files.js";

/** Adds up the payloads of a receive day's quarantine frames, from their heads alone: ids of keys count along. */
export function quarantinedBytes(directory: string, day: number, disk: Disk = nodeDisk): number {
  let total = 0;
  for (const name of journalNames(directory, disk).reverse()) {
    const { file, source } = openJournalFile(name, disk);
    try {
      if (dayOf(file.segment) !== day) break;
      const scanner = new FrameScanner(source, FILE_HEADER_BYTES, file.salt);
      for (let read = scanner.peek(); read.status === "head"; read = scanner.peek()) {
        if (read.head.kind === "quarantine") total += read.head.length - EMPTY_FRAME_BYTES;
        scanner.offset = read.end;
      }
    } finally {
      source.close();
    }
  }
  return total;
}
