import { type Disk, nodeDisk } from "./disk.js";
import { FILE_HEADER_BYTES } from "./format.js";
import { FrameScanner } from "./frame-scanner.js";
import { journalCorrupt } from "./journal-corrupt.js";
import { journalNames, type OpenJournalFile, openChosen } from "./journal-files.js";
import { decodeQuarantine, type Quarantined } from "./quarantine.js";

/** A page ends when its entries hold this much, so that one answer fits into memory. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
/** A page ends when looking took this long: passing over compressed files means to decompress them. */
const MAX_PAGE_MILLIS = 250;

/** Says where an entry stands: it is found there again as long as its journal file is kept. */
export interface QuarantinePlace {
  /** First sequence of the journal file. */
  fileSeq: bigint;
  /** Offset of the frame in the file's plain form, bytes. */
  offset: number;
}

/** Carries one record, or one whole body, that was set aside. */
export interface QuarantineEntry extends Quarantined, QuarantinePlace {
  /** Sequence of the last record that was stored before; 0 for none. */
  afterSeq: bigint;
  /** ns since 1970 UTC */
  receivedNano: bigint;
  /** `""` for none. */
  keyId: string;
}

export interface QuarantinePage {
  entries: QuarantineEntry[];
  /** Pass it as `before` to go on; `null` at the end. A page before the end may be short, or empty. */
  next: QuarantinePlace | null;
}

/**
 * Reads what was set aside, newest first. What was not yet synced at the call may be among it.
 *
 * @param before entries before this place only; `null` for all
 * @throws AuditError `journal_corrupt`
 */
export function readQuarantine(
  directory: string,
  before: QuarantinePlace | null,
  limit: number,
  disk: Disk = nodeDisk,
): QuarantinePage {
  const deadline = performance.now() + MAX_PAGE_MILLIS;
  const names = journalNames(directory, disk).reverse();
  const entries: QuarantineEntry[] = [];
  let bytes = 0;
  for (const [index, { firstSeq }] of names.entries()) {
    if (before !== null && firstSeq > before.fileSeq) continue;
    const end = firstSeq === before?.fileSeq ? before.offset : Number.POSITIVE_INFINITY;
    const opened = openAt(directory, firstSeq, disk);
    if (opened === null) continue;
    try {
      const scanner = scannerOf(opened);
      for (const offset of offsetsBefore(scanner, end, opened, index === 0).reverse()) {
        scanner.offset = offset;
        const entry = entryAt(scanner, firstSeq);
        // The newest file is written to: what is not whole yet was not acknowledged.
        if (entry === null) continue;
        entries.push(entry);
        bytes += entry.bytes.length;
        if (entries.length === limit || bytes >= MAX_PAGE_BYTES) {
          return { entries, next: { fileSeq: firstSeq, offset } };
        }
      }
    } finally {
      opened.source.close();
    }
    const isLast = index === names.length - 1;
    if (!isLast && performance.now() >= deadline) {
      return { entries, next: { fileSeq: firstSeq, offset: 0 } };
    }
  }
  return { entries, next: null };
}

/** Reads the entry at a place; `null` when there is none. */
export function readQuarantineEntry(
  directory: string,
  { fileSeq, offset }: QuarantinePlace,
  disk: Disk = nodeDisk,
): QuarantineEntry | null {
  const opened = openAt(directory, fileSeq, disk);
  if (opened === null) return null;
  try {
    const scanner = scannerOf(opened);
    scanner.offset = Math.max(offset, FILE_HEADER_BYTES);
    return entryAt(scanner, fileSeq);
  } finally {
    opened.source.close();
  }
}

function openAt(directory: string, fileSeq: bigint, disk: Disk): OpenJournalFile | null {
  return openChosen(directory, (names) => names.find(({ firstSeq }) => firstSeq === fileSeq), disk);
}

function scannerOf({ source, file }: OpenJournalFile): FrameScanner {
  return new FrameScanner(source, FILE_HEADER_BYTES, file.salt);
}

/** Finds the file's quarantine frames by their heads. */
function offsetsBefore(
  scanner: FrameScanner,
  end: number,
  { file }: OpenJournalFile,
  isNewest: boolean,
): number[] {
  const offsets: number[] = [];
  while (scanner.offset < end) {
    const read = scanner.peek();
    if (read.status === "bad" && !isNewest) {
      throw journalCorrupt(file.path, `${read.reason} at offset ${read.offset}`);
    }
    if (read.status !== "head") break;
    if (read.head.kind === "quarantine") offsets.push(read.offset);
    scanner.offset = read.end;
  }
  return offsets;
}

function entryAt(scanner: FrameScanner, fileSeq: bigint): QuarantineEntry | null {
  const read = scanner.next();
  if (read.status !== "frame" || read.frame.kind !== "quarantine") return null;
  const { firstSeq, receivedNano, keyId, payload } = read.frame;
  const { reason, bytes } = decodeQuarantine(payload);
  return {
    fileSeq,
    offset: read.offset,
    afterSeq: firstSeq - 1n,
    receivedNano,
    keyId,
    reason,
    // The payload points into a buffer that the next frame replaces.
    bytes: Uint8Array.from(bytes),
  };
}
