import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "@agent-audit/schema";
import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import type { DiskGuard } from "../disk-guard.js";
import { nextSeqOf } from "../journal/format.js";
import type { JournalReader, SegmentFrame } from "../journal/journal-reader.js";
import type { SegmentId } from "../segment-id.js";
import type { ColumnName } from "./columns.js";
import { isDamage } from "./damage.js";
import { frameRows } from "./frame-rows.js";
import type { ProgressMeter } from "./rebuild-progress.js";
import type { RightOfWay } from "./right-of-way.js";
import { RowWriter } from "./row-writer.js";
import { type Segment, type SegmentPosition, writePosition } from "./segment.js";
import { isDiskFull, isOutOfMemory } from "./shortage.js";

/** Rows of one transaction: a full DuckDB row group, which goes to the file without a detour through the WAL. */
const BATCH_ROWS = 122_880;
/** Rows after which others may be let in. */
const PIECE_ROWS = 32;
/** How long a transaction waits for more while nothing waits for it. */
const LINGER_MILLIS = 20;
/** How long it stays open in all: five commits a second cost a quarter less of both cores than forty. */
const MAX_LINGER_MILLIS = 200;
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

/** Gives the last sequence that there is. */
type Arrived = () => bigint;

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
  /** Last sequence that the running or failed transaction took in. */
  #attemptedSeq = 0n;
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
   * @param arrived gives what `upto` has become: the batch then stays open for a moment, and takes what arrives
   * @throws when the segment's file cannot be read or written, or the journal cannot be read
   */
  async applyBatch(job: Job, upto: bigint, arrived: Arrived | null = null): Promise<Applied> {
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
      const isRecords = !isDamage(error) && this.#attemptedSeq > job.segment.appliedSeq;
      if (!isRecords) throw error;
      return await this.#bisect(job, this.#attemptedSeq, error);
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
  async #apply(job: Job, upto: bigint, arrived: Arrived | null): Promise<Applied> {
    const { segment, reader } = job;
    this.#attemptedSeq = 0n;
    const next = reader.next(upto);
    if (next === null) return NOTHING;
    if (next.segment !== segment.id) return { ...NOTHING, nextSegment: next.segment };

    this.#options.rightOfWay.begin();
    this.#attemptedSeq = segment.appliedSeq;
    await this.#options.connection.run("BEGIN");
    const appender = await this.#options.connection.createAppender("events", "main", segment.alias);
    const batch = await this.#fill(job, next, upto, arrived, appender).catch((error: unknown) => {
      dismiss(appender);
      throw error;
    });
    const { rows, nextSegment, last, minTime, maxTime, filled } = batch;
    const { position } = segment;
    await this.#moveTo(segment, {
      appliedSeq: this.#attemptedSeq,
      rows: position.rows + BigInt(rows),
      minTime: least(position.minTime, minTime),
      maxTime: greatest(position.maxTime, maxTime),
      emptyColumns: position.emptyColumns.filter((name) => !filled.has(name)),
    });
    // The reader stands behind the last frame, of which not all may have been wanted.
    if (nextSeqOf(last.frame) > this.#attemptedSeq + 1n) this.#rewind(job);
    job.rowsSinceCheckpoint += rows;
    const isDue =
      job.rowsSinceCheckpoint >= CHECKPOINT_ROWS || segment.walBytes >= this.#checkpointWalBytes;
    if (isDue && (await this.checkpoint(segment))) job.rowsSinceCheckpoint = 0;
    // DuckDB's own threads have worked too.
    await this.#options.rightOfWay.pause();
    return { rows, nextSegment, isHeldUp: false };
  }

  /** Writes rows of the open transaction, from a frame on, and closes the appender. */
  async #fill(
    { segment, reader }: Job,
    first: SegmentFrame,
    upto: bigint,
    arrived: Arrived | null,
    appender: DuckDBAppender,
  ): Promise<Batch> {
    const { rightOfWay } = this.#options;
    const writer = new RowWriter(appender, () => rightOfWay.isAsked);
    const lingerUntil = performance.now() + MAX_LINGER_MILLIS;
    let rows = 0;
    let bytes = 0;
    let last = first;
    let nextSegment: SegmentId | null = null;
    let end = upto;
    for (let next: SegmentFrame | null = first; next !== null; next = reader.next(end)) {
      if (next.segment !== segment.id) {
        nextSegment = next.segment;
        break;
      }
      last = next;
      const appliedSeq = this.#attemptedSeq;
      const frameEnd = nextSeqOf(next.frame) - 1n;
      this.#attemptedSeq = frameEnd < end ? frameEnd : end;
      for (const row of frameRows(next, appliedSeq + 1n, this.#attemptedSeq)) {
        writer.write(...row);
        // Queries wait for this thread, and ingest for its core.
        if (++rows % PIECE_ROWS === 0) await rightOfWay.pauseWhenDue();
      }
      bytes += next.frame.payload.length;
      if (rows >= BATCH_ROWS || bytes >= this.#batchBytes) break;
      if (rightOfWay.isClosed) break;
      if (arrived === null || this.#attemptedSeq < end || performance.now() > lingerUntil) continue;
      if (arrived() === end) await rightOfWay.wait(LINGER_MILLIS);
      end = arrived();
    }
    writer.flush();
    appender.closeSync();
    const { minTime, maxTime, filled } = writer;
    return { rows, nextSegment, last, minTime, maxTime, filled };
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

/** What one transaction has taken in. */
interface Batch {
  rows: number;
  nextSegment: SegmentId | null;
  /** Last frame that rows were made from. */
  last: SegmentFrame;
  minTime: bigint | null;
  maxTime: bigint | null;
  filled: ReadonlySet<ColumnName>;
}

/** Left as it is, it would write its rows when it is collected as garbage, after the transaction was taken back. */
function dismiss(appender: DuckDBAppender): void {
  try {
    appender.clear();
    appender.closeSync();
  } catch {
    // It holds nothing any more.
  }
}

function least(a: bigint | null, b: bigint | null): bigint | null {
  return a === null || (b !== null && b < a) ? b : a;
}

function greatest(a: bigint | null, b: bigint | null): bigint | null {
  return a === null || (b !== null && b > a) ? b : a;
}
