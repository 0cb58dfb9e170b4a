import path from "node:path";
import { AuditError } from "@agent-audit/schema";
import { type Disk, nodeDisk } from "./disk.js";
import {
  decodeFileHeader,
  FILE_HEADER_BYTES,
  type FileHeader,
  type Frame,
  firstSeqOfName,
  nextSeqOf,
} from "./format.js";
import { FrameScanner } from "./frame-scanner.js";

/** Describes one journal file by its header. */
export interface JournalFile extends FileHeader {
  path: string;
  bytes: number;
}

/**
 * Lists the journal files in order.
 *
 * @throws AuditError `journal_corrupt` when one has no sound header: files get theirs before their name
 */
export function listJournalFiles(directory: string, disk: Disk = nodeDisk): JournalFile[] {
  const files: JournalFile[] = [];
  for (const name of disk.readdirSync(directory).sort()) {
    if (firstSeqOfName(name) === null) continue;
    const file = path.join(directory, name);
    const fd = disk.openSync(file, "r");
    try {
      const bytes = Buffer.alloc(FILE_HEADER_BYTES);
      const read = disk.readSync(fd, bytes, 0, FILE_HEADER_BYTES, 0);
      const header = decodeFileHeader(bytes.subarray(0, read));
      if (header === null) throw corrupt(file, "the file header is damaged");
      files.push({ ...header, path: file, bytes: disk.fstatSync(fd).size });
    } finally {
      disk.closeSync(fd);
    }
  }
  return files;
}

/** Carries a frame of records with the segment that it belongs to. */
export interface SegmentFrame {
  frame: Frame;
  segmentDay: number;
}

/**
 * Follows the journal from a sequence on, across files, up to what is synced. Shares nothing with the
 * writer but that position: a frame at or below it is complete on disk.
 */
export class JournalReader {
  readonly #disk: Disk;
  readonly #directory: string;
  #nextSeq: bigint;
  #file: JournalFile | null = null;
  #fd = -1;
  #scanner: FrameScanner | null = null;

  /** @param fromSeq first sequence wanted; frames that end before it are passed over */
  constructor(directory: string, fromSeq: bigint, disk: Disk = nodeDisk) {
    this.#directory = directory;
    this.#nextSeq = fromSeq;
    this.#disk = disk;
  }

  /**
   * Reads the next frame that holds records, or `null` when the journal has none up to `syncedSeq`.
   *
   * @throws AuditError `journal_corrupt` when a frame that was synced cannot be read
   */
  next(syncedSeq: bigint): SegmentFrame | null {
    while (this.#nextSeq <= syncedSeq) {
      this.#scanner ??= this.#openAt(this.#nextSeq);
      const read = this.#scanner.next();
      if (read.status === "end") {
        this.#openNextFile();
      } else if (read.status === "bad") {
        throw this.#corrupt(`${read.reason} at offset ${read.offset}`);
      } else {
        const next = nextSeqOf(read.frame);
        if (next <= this.#nextSeq) continue;
        this.#nextSeq = next;
        return { frame: read.frame, segmentDay: (this.#file as JournalFile).segmentDay };
      }
    }
    return null;
  }

  close(): void {
    if (this.#fd >= 0) this.#disk.closeSync(this.#fd);
    this.#fd = -1;
    this.#scanner = null;
  }

  #openAt(seq: bigint): FrameScanner {
    const file = listJournalFiles(this.#directory, this.#disk).findLast((f) => f.firstSeq <= seq);
    if (file === undefined) throw this.#corrupt(`no file holds sequence ${seq}`);
    return this.#open(file);
  }

  #openNextFile(): void {
    const current = this.#file as JournalFile;
    const next = listJournalFiles(this.#directory, this.#disk).find(
      (file) => file.firstSeq > current.firstSeq,
    );
    if (next === undefined) {
      throw this.#corrupt(`sequence ${this.#nextSeq} was synced but no file holds it`);
    }
    if (next.firstSeq > this.#nextSeq) {
      throw this.#corrupt(`sequences ${this.#nextSeq} to ${next.firstSeq - 1n} are missing`);
    }
    this.#scanner = this.#open(next);
  }

  #open(file: JournalFile): FrameScanner {
    this.close();
    this.#fd = this.#disk.openSync(file.path, "r");
    this.#file = file;
    this.#scanner = new FrameScanner(this.#disk, this.#fd, FILE_HEADER_BYTES, file.salt);
    return this.#scanner;
  }

  #corrupt(reason: string): AuditError {
    return corrupt(this.#file?.path ?? this.#directory, reason);
  }
}

function corrupt(place: string, reason: string): AuditError {
  return new AuditError(
    "journal_corrupt",
    `the journal cannot be read (${place}): ${reason}`,
    "restore the journal from a backup or another server",
  );
}
