import { spliceLogsRequest } from "@agent-audit/otlp";
import { EVERYTHING, isInScope, type ReadScope } from "../read-scope.js";
import { type Disk, nodeDisk } from "./disk.js";
import { FILE_HEADER_BYTES, nextSeqOf } from "./format.js";
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

/** Why each stored record that cannot be shown is not, by its sequence. */
export type SetAside = ReadonlyMap<bigint, string>;

/** What a reader is shown of the quarantine. */
export interface QuarantineView {
  scope: ReadScope;
  /** Records that were stored and cannot be shown as events. */
  setAside: SetAside;
}

const WHOLE: QuarantineView = { scope: EVERYTHING, setAside: new Map() };

/** Carries one record, or one whole body, that was set aside. */
export interface QuarantineEntry extends Quarantined, QuarantinePlace {
  /** Sequence of the last record that was stored before; 0 for none. */
  afterSeq: bigint;
  /** ns since 1970 UTC */
  receivedNano: bigint;
  /** `""` for none. */
  keyId: string;
  /** Whom the sender's key is for; `""` for nobody in particular. */
  orgId: string;
  projectId: string;
  agentId: string;
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
  { scope, setAside }: QuarantineView = WHOLE,
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
      const found = spotsBefore(scanner, end, opened, setAside, index === 0);
      // Not counting the search, which the next page of this file begins with again.
      const fileDeadline = performance.now() + MAX_PAGE_MILLIS;
      for (const spot of found.reverse()) {
        const { offset } = spot;
        const entry = entryAt(scanner, firstSeq, spot);
        // The newest file is written to: what is not whole yet was not acknowledged.
        if (entry !== null && isInScope(scope, entry)) {
          entries.push(entry);
          bytes += entry.bytes.length;
        }
        const isFull = entries.length === limit || bytes >= MAX_PAGE_BYTES;
        if (isFull || performance.now() >= fileDeadline) {
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
  { scope, setAside }: QuarantineView = WHOLE,
  disk: Disk = nodeDisk,
): QuarantineEntry | null {
  const opened = openAt(directory, fileSeq, disk);
  if (opened === null) return null;
  try {
    const scanner = scannerOf(opened);
    const direct = { offset, frameOffset: Math.max(offset, FILE_HEADER_BYTES), reason: null };
    const spot =
      setAside.size === 0
        ? direct
        : spotsBefore(scanner, offset + 1, opened, setAside, true).at(-1);
    const entry = spot?.offset === offset ? entryAt(scanner, fileSeq, spot) : null;
    return entry !== null && isInScope(scope, entry) ? entry : null;
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

/** Where an entry stands in its file. */
interface Spot {
  offset: number;
  frameOffset: number;
  /** Of a stored record that is set aside; `null` for a quarantine frame, which has its own. */
  reason: string | null;
}

/** Finds the file's entries by the heads of its frames. */
function spotsBefore(
  scanner: FrameScanner,
  end: number,
  { file }: OpenJournalFile,
  setAside: SetAside,
  isNewest: boolean,
): Spot[] {
  const asideSeqs = [...setAside.keys()].sort((a, b) => Number(a - b));
  const spots: Spot[] = [];
  while (scanner.offset < end) {
    const read = scanner.peek();
    if (read.status === "bad" && !isNewest) {
      throw journalCorrupt(file.path, `${read.reason} at offset ${read.offset}`);
    }
    if (read.status !== "head") break;
    const { head, offset: frameOffset } = read;
    if (head.kind === "quarantine") spots.push({ offset: frameOffset, frameOffset, reason: null });
    for (const seq of asideSeqs) {
      if (seq < head.firstSeq || seq >= nextSeqOf(head)) continue;
      // Inside the frame, which is longer than it has records.
      const offset = frameOffset + 1 + Number(seq - head.firstSeq);
      if (offset < end) spots.push({ offset, frameOffset, reason: setAside.get(seq) as string });
    }
    scanner.offset = read.end;
  }
  return spots;
}

function entryAt(scanner: FrameScanner, fileSeq: bigint, spot: Spot): QuarantineEntry | null {
  scanner.offset = spot.frameOffset;
  const read = scanner.next();
  if (read.status !== "frame") return null;
  const { frame } = read;
  const { firstSeq, receivedNano, keyId, orgId, projectId, agentId } = frame;
  const sender = { keyId, orgId, projectId, agentId };
  const shared = { fileSeq, offset: spot.offset, receivedNano, ...sender };
  if (spot.reason !== null) {
    const index = spot.offset - spot.frameOffset - 1;
    return {
      ...shared,
      afterSeq: firstSeq + BigInt(index) - 1n,
      reason: spot.reason,
      bytes: recordBytes(frame.payload, index),
    };
  }
  if (frame.kind !== "quarantine") return null;
  const { reason, bytes } = decodeQuarantine(frame.payload);
  // The payload points into a buffer that the next frame replaces.
  return { ...shared, afterSeq: firstSeq - 1n, reason, bytes: Uint8Array.from(bytes) };
}

/** One record as a request of its own, or the whole request where that cannot be read. */
function recordBytes(payload: Uint8Array, index: number): Uint8Array {
  try {
    return Uint8Array.from(spliceLogsRequest(payload, (at) => at === index));
  } catch {
    return Uint8Array.from(payload);
  }
}
