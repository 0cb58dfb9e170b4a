import type { AuditError } from "@agent-audit/schema";
import type { SegmentId } from "../segment-id.js";
import type { SeqRange } from "../seq-range.js";
import { type Disk, nodeDisk } from "./disk.js";
import { type Frame, nextSeqOf } from "./format.js";
import { FrameScanner } from "./frame-scanner.js";
import { journalCorrupt } from "./journal-corrupt.js";
import { type JournalName, type OpenJournalFile, openChosen } from "./journal-files.js";

/** Carries a frame of records with the segment that it belongs to. */
export interface SegmentFrame {
  frame: Frame;
  segment: SegmentId;
  /** Of the file that it stands in. */
  storeId: string;
}

/**
 * Follows the journal from a sequence on, across files, up to what is synced. Shares nothing with the
 * writer but that position: a frame at or below it is complete on disk.
 */
export class JournalReader {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #mayLack: (range: SeqRange) => boolean;
  #nextSeq: bigint;
  #opened: OpenJournalFile | null = null;
  #scanner: FrameScanner | null = null;

  /**
   * @param fromSeq first sequence wanted; frames that end before it are passed over
   * @param mayLack tells whether a range may be missing, and is then passed over; default: none
   */
  constructor(
    directory: string,
    fromSeq: bigint,
    disk: Disk = nodeDisk,
    mayLack: (range: SeqRange) => boolean = () => false,
  ) {
    this.#directory = directory;
    this.#nextSeq = fromSeq;
    this.#disk = disk;
    this.#mayLack = mayLack;
  }

  /**
   * Reads the next frame that holds records, or `null` when the journal has none up to `syncedSeq`.
   *
   * @throws AuditError `journal_corrupt` when a frame that was synced cannot be read
   */
  next(syncedSeq: bigint): SegmentFrame | null {
    while (this.#nextSeq <= syncedSeq) {
      this.#scanner ??= this.#openAt(this.#nextSeq);
      const ahead = this.#scanner.peek();
      if (ahead.status === "head" && nextSeqOf(ahead.head) <= this.#nextSeq) {
        this.#scanner.offset = ahead.end;
        continue;
      }
      const read = this.#scanner.next();
      if (read.status === "end") {
        this.#scanner = this.#openNextFile();
        continue;
      }
      if (read.status === "bad") throw this.#corrupt(`${read.reason} at offset ${read.offset}`);
      this.#passHole(read.frame.firstSeq);
      this.#nextSeq = nextSeqOf(read.frame);
      const { segment, storeId } = (this.#opened as OpenJournalFile).file;
      return { frame: read.frame, segment, storeId };
    }
    return null;
  }

  /** Reads up to a sequence, whose frames are of no interest, and closes. @throws AuditError `journal_corrupt` */
  checkUpto(seq: bigint): void {
    try {
      while (this.next(seq) !== null);
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#opened?.source.close();
    this.#opened = null;
    this.#scanner = null;
  }

  #openAt(seq: bigint): FrameScanner {
    return this.#open(seq, (names) => {
      const name = names.findLast(({ firstSeq }) => firstSeq <= seq);
      if (name !== undefined) return name;
      const [first] = names;
      if (first === undefined) throw this.#corrupt(`no file holds sequence ${seq}`);
      this.#passHole(first.firstSeq);
      return first;
    });
  }

  #openNextFile(): FrameScanner {
    const current = (this.#opened as OpenJournalFile).file;
    return this.#open(this.#nextSeq, (names) => {
      const next = names.find(({ firstSeq }) => firstSeq > current.firstSeq);
      if (next === undefined) {
        throw this.#corrupt(`sequence ${this.#nextSeq} was synced but no file holds it`);
      }
      this.#passHole(next.firstSeq);
      return next;
    });
  }

  #open(seq: bigint, choose: (names: JournalName[]) => JournalName): FrameScanner {
    const opened = openChosen(this.#directory, choose, this.#disk) as OpenJournalFile;
    this.close();
    this.#opened = opened;
    return new FrameScanner(opened.source, opened.source.seek(seq), opened.file.salt);
  }

  #passHole(firstSeq: bigint): void {
    if (firstSeq <= this.#nextSeq) return;
    const hole = { firstSeq: this.#nextSeq, lastSeq: firstSeq - 1n };
    if (!this.#mayLack(hole)) {
      throw this.#corrupt(`sequences ${hole.firstSeq} to ${hole.lastSeq} are missing`);
    }
    this.#nextSeq = firstSeq;
  }

  #corrupt(reason: string): AuditError {
    return journalCorrupt(this.#opened?.file.path ?? this.#directory, reason);
  }
}
