import path from "node:path";
import { AuditError } from "@agent-audit/schema";
import { NO_SEGMENT, type SegmentId } from "../segment-id.js";
import { type Disk, readRange, syncDirectory, writeFully } from "./disk.js";
import { FILE_HEADER_BYTES, FORMAT_VERSION, nextSeqOf, type VersionedHeader } from "./format.js";
import { FrameScanner } from "./frame-scanner.js";
import { openPlain } from "./frame-source.js";
import {
  type JournalName,
  journalFileName,
  journalNames,
  openJournalFile,
} from "./journal-files.js";

/** Reports what recovery cut off a journal: bytes that were written but never acknowledged. */
export interface JournalCut {
  file: string;
  offset: number;
  bytes: number;
  reason: string;
}

/** Says where a journal goes on. */
export interface RecoveredJournal {
  nextSeq: bigint;
  /** The newest segment. */
  segment: SegmentId;
  cut: JournalCut | null;
  /** Frames of an old file that holds no records and whose name the next file takes: they move along. */
  carried: CarriedFrames | null;
}

/** Frames that move to a new file as they are, with the salt that their checksums start from. */
export interface CarriedFrames {
  frames: Buffer;
  salt: number;
}

/**
 * Brings the journal into a state from which a new file can go on, and nothing acknowledged is missing.
 *
 * A bad frame is corruption only when a later whole frame says that it was synced; otherwise it was never
 * acknowledged and is cut off. The tail that no frame proves synced is written and synced again: after a
 * crash it may live in the page cache alone, marked clean by a sync that failed.
 *
 * @param storeIds ids that the data directory has, or had
 * @throws AuditError `journal_corrupt`, `journal_version`, `journal_foreign`
 */
export function recoverJournal(
  disk: Disk,
  directory: string,
  storeIds: readonly string[],
): RecoveredJournal {
  const result: RecoveredJournal = {
    nextSeq: 1n,
    segment: NO_SEGMENT,
    cut: null,
    carried: null,
  };
  // Newest first: a file that never got its header was made by a start that crashed and holds nothing.
  for (const name of journalNames(directory, disk).reverse()) {
    const isRecovered = name.isSealed
      ? continueSealed(disk, name, storeIds, result)
      : recoverFile(disk, name.path, storeIds, result);
    if (isRecovered) break;
    disk.unlinkSync(name.path);
  }
  syncDirectory(disk, directory);
  return result;
}

/** Only sealed files are left, as in a backup of old days: nothing in them can be torn. */
function continueSealed(
  disk: Disk,
  name: JournalName,
  storeIds: readonly string[],
  result: RecoveredJournal,
): true {
  const { file, source } = openJournalFile(name, disk);
  source.close();
  checkHeader(name.path, file, storeIds);
  result.nextSeq = file.nextSeq as bigint;
  result.segment = file.segment;
  return true;
}

function recoverFile(
  disk: Disk,
  file: string,
  storeIds: readonly string[],
  result: RecoveredJournal,
): boolean {
  const fd = disk.openSync(file, "r+");
  try {
    const opened = openPlain(disk, fd);
    if (opened === null) {
      // A file has its header before its name, so this one was never whole; more than a header's length is another's doing.
      if (disk.fstatSync(fd).size > FILE_HEADER_BYTES) {
        throw corrupt(file, 0, "the file header is damaged");
      }
      return false;
    }
    const { header, source } = opened;
    checkHeader(file, header, storeIds);
    const scanner = new FrameScanner(source, FILE_HEADER_BYTES, header.salt);
    const tail = scanFile(scanner, file, header.firstSeq);
    const size = source.size();
    if (tail.end < size) {
      result.cut = { file, offset: tail.end, bytes: size - tail.end, reason: tail.reason };
    }
    rewriteTail(disk, fd, tail.unprovenFrom, tail.end);
    result.nextSeq = tail.nextSeq;
    result.segment = header.segment;
    const isNameTaken = path.basename(file) === journalFileName(tail.nextSeq);
    if (isNameTaken && tail.end > FILE_HEADER_BYTES) {
      const frames = readRange(disk, fd, FILE_HEADER_BYTES, tail.end);
      result.carried = { frames, salt: header.salt };
    }
    return true;
  } finally {
    disk.closeSync(fd);
  }
}

function checkHeader(file: string, header: VersionedHeader, storeIds: readonly string[]): void {
  if (header.version !== FORMAT_VERSION) {
    throw new AuditError(
      "journal_version",
      `${file} has journal format ${header.version}; this version reads ${FORMAT_VERSION}`,
      "start the version of agent-audit that wrote it",
    );
  }
  refuseForeign(file, header.storeId, storeIds);
}

/** @throws AuditError `journal_foreign` when a file is of none of these stores */
export function refuseForeign(file: string, storeId: string, storeIds: readonly string[]): void {
  if (storeIds.includes(storeId)) return;
  throw new AuditError(
    "journal_foreign",
    `${file} belongs to store ${storeId}, the data directory to ${storeIds[0]}`,
    "move the file back to the data directory that it came from",
  );
}

interface Tail {
  /** Where the last whole frame ends. */
  end: number;
  /** Where the first frame starts that no other proves synced. */
  unprovenFrom: number;
  nextSeq: bigint;
  reason: string;
}

function scanFile(scanner: FrameScanner, file: string, firstSeq: bigint): Tail {
  const tail: Tail = {
    end: scanner.offset,
    unprovenFrom: scanner.offset,
    nextSeq: firstSeq,
    reason: "",
  };
  const unproven: { offset: number; provenBy: bigint }[] = [];
  let provenUpto = firstSeq - 1n;
  for (;;) {
    const read = scanner.next();
    if (read.status === "end") break;
    if (read.status === "bad" || read.frame.firstSeq !== tail.nextSeq) {
      const reason = read.status === "bad" ? read.reason : "the sequence has a hole";
      refuseIfSynced(scanner, file, tail, reason, read.status === "bad");
      tail.reason = reason;
      break;
    }
    tail.nextSeq = nextSeqOf(read.frame);
    tail.end = read.end;
    if (read.frame.syncedUpto > provenUpto) provenUpto = read.frame.syncedUpto;
    // A frame that takes no sequence is proven by the record after it, not by the one before.
    const provenBy = read.frame.recordCount > 0 ? tail.nextSeq - 1n : tail.nextSeq;
    unproven.push({ offset: read.offset, provenBy });
    while (unproven[0] !== undefined && unproven[0].provenBy <= provenUpto) unproven.shift();
  }
  tail.unprovenFrom = unproven[0]?.offset ?? tail.end;
  return tail;
}

/** A frame beyond the bad one that says the bad one's records were synced turns a cut into corruption. */
function refuseIfSynced(
  scanner: FrameScanner,
  file: string,
  tail: Tail,
  reason: string,
  isBad: boolean,
): void {
  let read = scanner.resynchronise(isBad ? tail.end + 1 : tail.end);
  while (read.status === "frame") {
    if (read.frame.syncedUpto >= tail.nextSeq) throw corrupt(file, tail.end, reason);
    read = scanner.resynchronise(read.end);
  }
}

function corrupt(file: string, offset: number, reason: string): AuditError {
  return new AuditError(
    "journal_corrupt",
    `${file} is damaged at offset ${offset}: ${reason}, and later frames prove that it had been acknowledged`,
    "restore the file from a backup or another server; do not delete it: it is the evidence",
  );
}

function rewriteTail(disk: Disk, fd: number, from: number, end: number): void {
  if (from < end) writeFully(disk, fd, [readRange(disk, fd, from, end)], from);
  disk.ftruncateSync(fd, end);
  disk.fdatasyncSync(fd);
}
