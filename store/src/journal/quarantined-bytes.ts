import { dayOf } from "../segment-id.js";
import { type Disk, nodeDisk } from "./disk.js";
import { EMPTY_FRAME_BYTES, FILE_HEADER_BYTES } from "./format.js";
import { FrameScanner } from "./frame-scanner.js";
import { journalNames, openJournalFile } from "./journal-files.js";

/** What was set aside of a receive day, in the journal files before one. */
export interface QuarantinedBefore {
  /** Days since 1970 UTC. */
  day: number;
  bytes: number;
  /** First sequence of that file. */
  fileSeq: bigint;
}

/**
 * Adds up the payloads of a receive day's quarantine frames, from their heads alone: ids of keys count along.
 *
 * @param before what need not be read again; `null` for nothing
 */
export function quarantinedBytes(
  directory: string,
  day: number,
  before: QuarantinedBefore | null,
  disk: Disk = nodeDisk,
): number {
  let total = before?.day === day ? before.bytes : 0;
  for (const name of journalNames(directory, disk).reverse()) {
    if (before !== null && name.firstSeq < before.fileSeq) break;
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
