import { randomInt } from "node:crypto";
import path from "node:path";
import { dayOf, nextPart, type SegmentId, segmentOfTime } from "../segment-id.js";
import { type Disk, nodeDisk, readRange, replaceFile, writeFully } from "./disk.js";
import { encodeFileHeader, encodeFrame, FILE_HEADER_BYTES, type Frame } from "./format.js";
import { journalFileName, journalNames, openJournalFile } from "./journal-files.js";
import { type CarriedFrames, type JournalCut, recoverJournal } from "./recover-journal.js";
import { InlineSyncer, type Syncer } from "./syncer.js";

/** Size at which a file is closed and the next begun. */
export const ROTATE_BYTES = 256 * 1024 * 1024;

/** What one segment may hold before the next part of the day begins. */
export interface SegmentLimits {
  maxRecords: number;
  /** Bytes of journal. */
  maxJournalBytes: number;
}

const NO_LIMITS: SegmentLimits = {
  maxRecords: Number.POSITIVE_INFINITY,
  maxJournalBytes: Number.POSITIVE_INFINITY,
};

export interface JournalOptions {
  /** `<data>/journal` */
  directory: string;
  storeId: string;
  /** Ids that the data directory had before: their files are its own too. */
  formerStoreIds?: readonly string[] | undefined;
  /** Default {@link ROTATE_BYTES}. */
  rotateBytes?: number;
  /** Default: a segment lasts its day. */
  segmentLimits?: SegmentLimits | undefined;
  /** Clock, ns since 1970 UTC. */
  now: () => bigint;
  /** Told of each new file in operation, by the first sequence that it can hold. */
  onRotate?: (firstSeq: bigint) => void;
  disk?: Disk;
  /** Default: on the calling thread. */
  syncer?: Syncer;
}

/** How far a running sync reaches. */
interface SyncPoint {
  size: number;
  seq: bigint;
}

/** What the caller knows of a frame; the journal adds its sequence and what is synced. */
export type NewFrame = Omit<Frame, "syncedUpto" | "firstSeq">;

/**
 * Appends frames to the journal and makes them durable. Owned by one thread. An error from any method is
 * final: the file's state is then unknown, so the process must end and recover.
 */
export class JournalWriter {
  readonly #options: JournalOptions;
  readonly #disk: Disk;
  readonly #syncer: Syncer;
  /** Until the first file is opened. */
  #carried: CarriedFrames | null;
  #syncing: SyncPoint | null = null;
  #fd = -1;
  #size = 0;
  #syncedSize = 0;
  #writtenBytes = 0;
  #fileFirstSeq = 0n;
  #salt = 0;
  #segment: SegmentId;
  #segmentFirstSeq: bigint;
  /** Bytes of the segment's files before the current one. */
  #segmentBytes = 0;
  #nextSeq: bigint;
  #syncedSeq: bigint;
  /** What recovery cut off, for the start report. */
  readonly cut: JournalCut | null;

  /**
   * Recovers the journal, and changes nothing else in it; {@link open} makes it ready for writing.
   *
   * @throws AuditError see `recoverJournal`
   */
  constructor(options: JournalOptions) {
    this.#options = options;
    this.#disk = options.disk ?? nodeDisk;
    this.#syncer = options.syncer ?? new InlineSyncer(this.#disk);
    const recovered = recoverJournal(this.#disk, options.directory, [
      options.storeId,
      ...(options.formerStoreIds ?? []),
    ]);
    this.cut = recovered.cut;
    this.#nextSeq = recovered.nextSeq;
    this.#syncedSeq = recovered.nextSeq - 1n;
    this.#segment = recovered.segment;
    this.#segmentFirstSeq = recovered.nextSeq;
    this.#measureSegment();
    this.#enter(this.#segmentAt(options.now()));
    this.#carried = recovered.carried;
  }

  /** Recovers a journal and makes it ready for writing. @throws AuditError see `recoverJournal` */
  static open(options: JournalOptions): JournalWriter {
    const journal = new JournalWriter(options);
    journal.open();
    return journal;
  }

  /** Opens a new file: a start never appends to an old one. Call once, before anything is written. */
  open(): void {
    this.#openFile(this.#carried);
    this.#carried = null;
  }

  /** Sequence that the next record gets. */
  get nextSeq(): bigint {
    return this.#nextSeq;
  }

  /** Highest sequence that is on disk; 0 for none. */
  get syncedSeq(): bigint {
    return this.#syncedSeq;
  }

  /** Bytes of all frames that were appended since the start. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Receive day of the next record, days since 1970 UTC, unless a later one has begun. */
  get day(): number {
    return dayOf(this.#segment);
  }

  /**
   * Begins a new file when the current one is full or another segment begins. Call before anything is decided
   * about a record: `onRotate` writes down what is known of the records before it, and of no other.
   */
  rotateIfDue(receivedNano: bigint): void {
    const segment = this.#segmentAt(receivedNano);
    const isFull = this.#size >= this.#rotateBytes && this.#hasRecords;
    if (segment !== this.#segment || isFull) this.#rotate(segment);
  }

  /** Writes a frame, not yet durable, and gives the sequence of its first record. */
  append(frame: NewFrame): bigint {
    const firstSeq = this.#nextSeq;
    const pieces = encodeFrame({ ...frame, firstSeq, syncedUpto: this.#syncedSeq }, this.#salt);
    const written = writeFully(this.#disk, this.#fd, pieces, this.#size);
    this.#size += written;
    this.#writtenBytes += written;
    this.#nextSeq = firstSeq + BigInt(frame.recordCount);
    return firstSeq;
  }

  /** Starts to make durable what was appended so far, `false` when a sync runs or there is nothing to do. */
  startSync(): boolean {
    if (this.#syncing !== null || this.#syncedSize === this.#size) return false;
    this.#syncing = { size: this.#size, seq: this.#nextSeq - 1n };
    this.#syncer.start(this.#fd);
    return true;
  }

  /** Whether a sync runs; when one has ended, `syncedSeq` has moved. */
  isSyncing(): boolean {
    if (this.#syncing !== null && this.#syncer.hasEnded()) this.#endSync(this.#syncing);
    return this.#syncing !== null;
  }

  /** Makes everything appended so far durable, and waits for it; costs nothing when nothing was. */
  sync(): void {
    this.#waitForSync();
    this.startSync();
    this.#waitForSync();
  }

  close(): void {
    this.sync();
    this.#syncer.close();
    if (this.#fd !== -1) this.#disk.closeSync(this.#fd);
  }

  #waitForSync(): void {
    if (this.#syncing === null) return;
    this.#syncer.wait();
    this.#endSync(this.#syncing);
  }

  #endSync({ size, seq }: SyncPoint): void {
    this.#syncing = null;
    this.#syncedSize = size;
    this.#syncedSeq = seq;
  }

  get #rotateBytes(): number {
    return this.#options.rotateBytes ?? ROTATE_BYTES;
  }

  /** A clock that steps back never reopens an older segment, and a full one is followed by the day's next part. */
  #segmentAt(nanos: bigint): SegmentId {
    const { maxRecords, maxJournalBytes } = this.#options.segmentLimits ?? NO_LIMITS;
    const records = Number(this.#nextSeq - this.#segmentFirstSeq);
    const bytes = this.#segmentBytes + this.#size;
    const isFull = records >= maxRecords || (records > 0 && bytes >= maxJournalBytes);
    return Math.max(isFull ? nextPart(this.#segment) : this.#segment, segmentOfTime(nanos));
  }

  /** Finds where the recovered segment begins, and what its files hold. */
  #measureSegment(): void {
    for (const name of journalNames(this.#options.directory, this.#disk).reverse()) {
      const { file, source } = openJournalFile(name, this.#disk);
      source.close();
      if (file.segment !== this.#segment) break;
      this.#segmentFirstSeq = file.firstSeq;
      this.#segmentBytes += file.bytes;
    }
  }

  /** Starts to count anew when a segment begins. */
  #enter(segment: SegmentId): void {
    if (segment === this.#segment) return;
    this.#segment = segment;
    this.#segmentFirstSeq = this.#nextSeq;
    this.#segmentBytes = 0;
  }

  /** Whether the file holds records: without them the next file would have its name. */
  get #hasRecords(): boolean {
    return this.#nextSeq > this.#fileFirstSeq;
  }

  #rotate(segment: SegmentId): void {
    this.sync();
    if (this.#hasRecords) this.#segmentBytes += this.#size;
    const carried = this.#hasRecords
      ? null
      : {
          frames: readRange(this.#disk, this.#fd, FILE_HEADER_BYTES, this.#size),
          salt: this.#salt,
        };
    this.#disk.closeSync(this.#fd);
    this.#enter(segment);
    this.#openFile(carried);
    this.#options.onRotate?.(this.#nextSeq);
  }

  /** The header is durable, name included, before a frame can stand behind it. */
  #openFile(carried: CarriedFrames | null): void {
    const { directory, storeId } = this.#options;
    const file = path.join(directory, journalFileName(this.#nextSeq));
    this.#salt = carried?.salt ?? randomInt(2 ** 32);
    const header = encodeFileHeader({
      storeId,
      firstSeq: this.#nextSeq,
      segment: this.#segment,
      salt: this.#salt,
    });
    const start = carried === null ? [header] : [header, carried.frames];
    replaceFile(this.#disk, file, start);
    this.#fd = this.#disk.openSync(file, "r+");
    this.#fileFirstSeq = this.#nextSeq;
    this.#size = start.reduce((sum, bytes) => sum + bytes.length, 0);
    this.#syncedSize = this.#size;
  }
}
