import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "@agent-audit/schema";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { DiskGuard } from "../disk-guard.js";
import type { JournalReader } from "../journal/journal-reader.js";
import type { SegmentId } from "../segment-id.js";
import { Batch } from "./batch.js";
import { isDamage } from "./damage.js";
import type { ProgressMeter } from "./rebuild-progress.js";
import type { RightOfWay } from "./right-of-way.js";
import { type Segment, type SegmentPosition, writePosition } from "./segment.js";
import { isDiskFull, isOutOfMemory } from "./shortage.js";

const CHECKPOINT_ROWS = 200_000;
/** What a start would have to replay: at most two seconds of it. */
const CHECKPOINT_WAL_BYTES = 128 * 1024 * 1024;
/** Payload of one transaction, which DuckDB holds in memory until the commit. */
const BATCH_BYTES = 128 * 1024 * 1024;
/** Neither takes more than this share of DuckDB's memory: a commit that finds none costs its records their rows. */
const MEMORY_SHARE = 0.25;
/** How long a transaction that cannot be taken back for lack of memory is left alone. */
const ROLLBACK_AGAIN_MILLIS = 50;

/** Says what a step of applying did. */
export interface Applied {
  /** Above 0 when something was done. */
  rows: number;
  /** Segment of the next frame, when that is another one. */
  nextSegment: SegmentId | null;
  /** Whether disk or memory do not suffice to go on just now. */
  isHeldUp: boolean;
}

const NOTHING: Applied = { rows: 0, nextSegment: null, isHeldUp: false };
const HELD_UP: Applied = { ...NOTHING, isHeldUp: true };

/** Follows the journal for one segment: the newest one without end, an older one up to its last sequence. */
export interface Job {
  segment: Segment;
  reader: JournalReader;
  rowsSinceCheckpoint: number;
  /** `null` for a segment that is up to date, or has been since the job began. */
  meter: ProgressMeter | null;
  /** Whether its next batch found no memory. */
  foundNoMemory: boolean;
}

/** DuckDB's memory, of which queries can take all. */
export interface SharedMemory {
  /** Whether somebody found none, not long ago. */
  isShort: () => boolean;
  /** Tells times at which nothing else used any apart, by a number; `null` while something does. */
  idleMark: () => number | null;
  /** Does something while nothing else needs any; gives `null` when that moment does not come. */
  alone: <T>(work: () => Promise<T>) => Promise<T | null>;
}

export interface ApplierOptions {
  connection: DuckDBConnection;
  /** Reads the journal from a sequence on. */
  openJournal: (fromSeq: bigint) => JournalReader;
  /** That DuckDB may use. */
  memoryLimitMib: number;
  /** Says whether the disk has room for more; asked before each batch. */
  guard: DiskGuard;
  rightOfWay: RightOfWay;
  memory: SharedMemory;
  /** Told of each record that cannot be a row; it stays in the journal. */
  onSetAside: (seq: bigint, reason: string) => void;
}

/** Turns frames into rows: rows and position change in one transaction, of one segment. */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #batchBytes: number;
  readonly #checkpointWalBytes: number;
  /** Of the running or failed transaction; `null` before it began. */
  #batch: Batch | null = null;
  #isAlone = false;

  constructor(options: ApplierOptions) {
    this.#options = options;
    const memory = options.memoryLimitMib * 1024 * 1024 * MEMORY_SHARE;
    this.#batchBytes = Math.min(BATCH_BYTES, memory);
    this.#checkpointWalBytes = Math.min(CHECKPOINT_WAL_BYTES, memory);
  }

  /**
   * Applies a batch; when a record in it cannot be a row, that one is found and set aside, and all others stay.
   *
   * @param arrived gives what `upto` has become, where what arrives is to be taken in, too
   * @throws when the segment's file cannot be read or written, or the journal cannot be read
   */
  async applyBatch(
    job: Job,
    upto: bigint,
    arrived: (() => bigint) | null = null,
  ): Promise<Applied> {
    if (!this.#options.guard.hasRoom(0)) return HELD_UP;
    const { memory } = this.#options;
    const isShort = job.foundNoMemory || memory.isShort();
    if (isShort && !this.#isAlone && job.segment.appliedSeq < upto) {
      return await this.#applyAlone(job, upto);
    }
    const mark = memory.idleMark();
    try {
      return await this.#apply(job, upto, arrived);
    } catch (error) {
      if (isFatal(error, this.#isByItself(mark))) throw error;
      await this.#takeBack(job);
      if (error instanceof AuditError) throw error;
      if (isDiskFull(error)) return HELD_UP;
      if (isOutOfMemory(error) && !this.#isAlone) {
        job.foundNoMemory = true;
        return HELD_UP;
      }
      const attemptedSeq = this.#batch?.lastSeq ?? 0n;
      const isRecords = !isDamage(error) && attemptedSeq > job.segment.appliedSeq;
      if (!isRecords) throw error;
      return await this.#bisect(job, attemptedSeq, error);
    }
  }

  /** Whether nothing else has used memory since `mark`. */
  #isByItself(mark: number | null): boolean {
    return this.#isAlone || (mark !== null && mark === this.#options.memory.idleMark());
  }

  /** What finds no memory while nobody else has any is the records' fault. */
  async #applyAlone(job: Job, upto: bigint): Promise<Applied> {
    const applied = await this.#options.memory.alone(async () => {
      this.#isAlone = true;
      try {
        return await this.applyBatch(job, upto);
      } finally {
        this.#isAlone = false;
      }
    });
    if (applied === null) return HELD_UP;
    job.foundNoMemory = false;
    return applied;
  }

  /** Ends a failed transaction, so that the connection serves the next, and goes back to what is applied. */
  async #takeBack(job: Job): Promise<void> {
    while (!(await this.#rollback())) await sleep(ROLLBACK_AGAIN_MILLIS);
    this.#rewind(job);
  }

  /** Gives `false` where even this finds no memory: as long as the transaction is open, no other can begin. */
  async #rollback(): Promise<boolean> {
    try {
      await this.#options.connection.run("ROLLBACK");
      return true;
    } catch (error) {
      if (isOutOfMemory(error)) return false;
      // What failed came before the transaction, or after it.
      if (/no transaction is active/i.test((error as Error).message)) return true;
      throw error;
    }
  }

  #rewind(job: Job): void {
    job.reader.close();
    job.reader = this.#options.openJournal(job.segment.appliedSeq + 1n);
  }

  /**
   * Brings what was applied from the WAL into the segment's file. Gives `false` when that was put off: while a
   * query reads an older state, or disk or memory have no room; the WAL then grows until the next try.
   */
  async checkpoint({ alias, walBytes }: Segment): Promise<boolean> {
    const { guard, memory, connection } = this.#options;
    // A checkpoint that fails half-way makes DuckDB give up the file.
    if (!guard.hasRoom(walBytes * 2)) return false;
    const checkpoint = async () => {
      try {
        await connection.run(`CHECKPOINT ${alias}`);
        return true;
      } catch (error) {
        const isPutOff = /checkpoint/i.test((error as Error).message) || isOutOfMemory(error);
        if (isDamage(error) || !isPutOff) throw error;
        return false;
      }
    };
    if (this.#isAlone || !memory.isShort()) return await checkpoint();
    return (await memory.alone(checkpoint)) ?? false;
  }

  /** Applies what failed together in halves, down to the record that is at fault. */
  async #bisect(job: Job, lastSeq: bigint, error: unknown): Promise<Applied> {
    const { segment } = job;
    const firstSeq = segment.appliedSeq + 1n;
    if (firstSeq >= lastSeq) {
      return await this.#setAside(job, firstSeq, (error as Error).message);
    }
    const rowsBefore = segment.position.rows;
    for (const end of [(firstSeq + lastSeq) / 2n, lastSeq]) {
      while (segment.appliedSeq < end) {
        const { isHeldUp } = await this.applyBatch(job, end);
        if (isHeldUp) return HELD_UP;
      }
    }
    return { ...NOTHING, rows: Math.max(1, Number(segment.position.rows - rowsBefore)) };
  }

  async #setAside(job: Job, seq: bigint, reason: string): Promise<Applied> {
    const { connection, onSetAside } = this.#options;
    const { segment } = job;
    const mark = this.#options.memory.idleMark();
    try {
      await connection.run("BEGIN");
      await connection.run(`INSERT INTO ${segment.alias}.set_aside VALUES ($1, $2)`, [seq, reason]);
      await this.#moveTo(segment, { ...segment.position, appliedSeq: seq });
    } catch (error) {
      if (isFatal(error, this.#isByItself(mark))) throw error;
      await this.#takeBack(job);
      if (isDiskFull(error) || isOutOfMemory(error)) return HELD_UP;
      throw error;
    }
    segment.setAside.set(seq, reason);
    this.#rewind(job);
    onSetAside(seq, reason);
    return { ...NOTHING, rows: 1 };
  }

  /** Moves the position with the rows of the open transaction, and commits both. */
  async #moveTo(segment: Segment, position: SegmentPosition): Promise<void> {
    await writePosition(this.#options.connection, segment, position);
    await this.#options.connection.run("COMMIT");
    segment.position = position;
  }

  /** Applies frames in one transaction; stops before a frame of another segment and names that. */
  async #apply(job: Job, upto: bigint, arrived: (() => bigint) | null): Promise<Applied> {
    const { segment, reader } = job;
    const { connection, rightOfWay } = this.#options;
    this.#batch = null;
    const next = reader.next(upto);
    if (next === null) return NOTHING;
    if (next.segment !== segment.id) return { ...NOTHING, nextSegment: next.segment };

    rightOfWay.begin();
    const batch = new Batch({ segment, reader, maxBytes: this.#batchBytes, rightOfWay });
    this.#batch = batch;
    await connection.run("BEGIN");
    const appender = await connection.createAppender("events", "main", segment.alias);
    await this.#moveTo(segment, await batch.fill(appender, next, upto, arrived));
    if (batch.isWithinFrame) this.#rewind(job);
    const { rows, nextSegment } = batch;
    job.rowsSinceCheckpoint += rows;
    const isDue =
      job.rowsSinceCheckpoint >= CHECKPOINT_ROWS || segment.walBytes >= this.#checkpointWalBytes;
    if (isDue && (await this.checkpoint(segment))) job.rowsSinceCheckpoint = 0;
    // DuckDB's own threads have worked too.
    await rightOfWay.pause();
    return { rows, nextSegment, isHeldUp: false };
  }
}

/**
 * Whether DuckDB cannot be trusted any more. After a commit that found no memory because of queries it crashed in one of three
 * runs, at the next change of the same row; never after one that was too large by itself.
 */
function isFatal(error: unknown, isByItself: boolean): boolean {
  const { message } = error as Error;
  if (/FATAL/.test(message)) return true;
  return isOutOfMemory(error) && !isByItself && /failed to commit/i.test(message);
}
