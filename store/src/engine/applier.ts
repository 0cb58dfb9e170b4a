import { readLogsRequest } from "@agent-audit/otlp";
import { AuditError, readEnvelope } from "@agent-audit/schema";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { DiskGuard } from "../disk-guard.js";
import type { Frame } from "../journal/format.js";
import { JournalReader } from "../journal/journal-reader.js";
import { CHUNK_ROWS } from "./column-buffers.js";
import type { ProgressMeter } from "./rebuild-progress.js";
import type { RightOfWay } from "./right-of-way.js";
import { jsonObject, RowWriter } from "./row-writer.js";
import type { Segment } from "./segment.js";

/** Rows of one transaction: a full DuckDB row group, which goes to the file without a detour through the WAL. */
const BATCH_ROWS = 122_880;
const CHECKPOINT_ROWS = 200_000;
/** Payload of one transaction, which DuckDB holds in memory until the commit. */
const BATCH_BYTES = 128 * 1024 * 1024;

/** Says what a step of applying did. */
export interface Applied {
  /** Above 0 when something was done. */
  rows: number;
  /** Day of the next frame, when that belongs to another segment. */
  nextDay: number | null;
  /** Whether the disk is too full to go on; nothing was applied then. */
  isDiskFull: boolean;
}

const NOTHING: Applied = { rows: 0, nextDay: null, isDiskFull: false };
const DISK_FULL: Applied = { ...NOTHING, isDiskFull: true };

/** Follows the journal for one segment: the newest one without end, an older one up to its last sequence. */
export interface Job {
  segment: Segment;
  reader: JournalReader;
  lastSeq: bigint | null;
  rowsSinceCheckpoint: number;
  /** `null` for a segment that was up to date when the job began. */
  meter: ProgressMeter | null;
}

export interface ApplierOptions {
  connection: DuckDBConnection;
  journalDirectory: string;
  storeId: string;
  /** Says whether the disk has room for more; asked before each batch. */
  guard: DiskGuard;
  rightOfWay: RightOfWay;
  /** Told of each record that cannot be a row; it stays in the journal. */
  onSetAside: (seq: bigint, reason: string) => void;
}

/** Turns frames into rows: rows and position change in one transaction, of one segment. */
export class Applier {
  readonly #options: ApplierOptions;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Applies a batch; when that fails, the next frame alone, record by record, so that one cannot stop all others. */
  async applyBatch(job: Job, upto: bigint): Promise<Applied> {
    if (!this.#options.guard.hasRoom(0)) return DISK_FULL;
    try {
      return await this.#applyTogether(job, upto);
    } catch (error) {
      await this.#takeBack(job, error);
      if (isDiskFull(error)) return DISK_FULL;
    }
    try {
      return await this.#applySingly(job, upto);
    } catch (error) {
      await this.#takeBack(job, error);
      if (isDiskFull(error)) return DISK_FULL;
      throw error;
    }
  }

  /** Ends a failed transaction and goes back to what is applied. */
  async #takeBack(job: Job, error: unknown): Promise<void> {
    if (isFatal(error)) throw error;
    await this.#options.connection.run("ROLLBACK").catch(() => {
      // There is no transaction when BEGIN itself failed.
    });
    job.reader.close();
    job.reader = new JournalReader(this.#options.journalDirectory, job.segment.appliedSeq + 1n);
  }

  /**
   * Brings what was applied from the WAL into the segment's file. Gives `false` when that was put off: while a
   * query reads an older state, or the disk has no room; the WAL then grows until the next try.
   */
  async checkpoint({ alias, walBytes }: Segment): Promise<boolean> {
    // A checkpoint that fails half-way would make DuckDB give up the whole instance.
    if (!this.#options.guard.hasRoom(walBytes * 2)) return false;
    try {
      await this.#options.connection.run(`CHECKPOINT ${alias}`);
      return true;
    } catch (error) {
      if (!/checkpoint/i.test((error as Error).message)) throw error;
      return false;
    }
  }

  /** Applies one frame, a transaction per record; what fails is set aside and the position moves on. */
  async #applySingly(job: Job, upto: bigint): Promise<Applied> {
    const { segment } = job;
    const next = job.reader.next(upto);
    if (next === null) return NOTHING;
    if (next.segmentDay !== segment.day) return { ...NOTHING, nextDay: next.segmentDay };
    const frame = { ...next.frame, payload: Uint8Array.from(next.frame.payload) };
    const lastSeq = frame.firstSeq + BigInt(frame.recordCount) - 1n;
    let rows = 0;
    for (let seq = segment.appliedSeq + 1n; seq <= lastSeq; seq++) {
      await this.#options.connection.run("BEGIN");
      try {
        const appender = await this.#options.connection.createAppender(
          "events",
          "main",
          segment.alias,
        );
        const writer = new RowWriter(appender);
        this.#writeFrame(writer, frame, seq - 1n, seq);
        writer.flush();
        appender.closeSync();
        await this.#moveTo(segment, seq, segment.rows + 1n);
        rows++;
      } catch (error) {
        if (isFatal(error) || isDiskFull(error)) throw error;
        await this.#options.connection.run("ROLLBACK");
        await this.#options.connection.run("BEGIN");
        await this.#moveTo(segment, seq, segment.rows);
        this.#options.onSetAside(seq, (error as Error).message);
      }
    }
    return { ...NOTHING, rows: Math.max(rows, 1) };
  }

  /** Moves the position with the rows of the open transaction, and commits both. */
  async #moveTo(segment: Segment, appliedSeq: bigint, rows: bigint): Promise<void> {
    await this.#options.connection.run(
      `UPDATE ${segment.alias}.position SET applied_seq = ${appliedSeq}, row_count = ${rows}`,
    );
    await this.#options.connection.run("COMMIT");
    segment.appliedSeq = appliedSeq;
    segment.rows = rows;
  }

  /** Applies frames in one transaction; stops before a frame of another segment and names its day. */
  async #applyTogether(job: Job, upto: bigint): Promise<Applied> {
    const { segment, reader } = job;
    let next = reader.next(upto);
    if (next === null) return NOTHING;
    if (next.segmentDay !== segment.day) return { ...NOTHING, nextDay: next.segmentDay };

    this.#options.rightOfWay.begin();
    await this.#options.connection.run("BEGIN");
    const appender = await this.#options.connection.createAppender("events", "main", segment.alias);
    const writer = new RowWriter(appender);
    let rows = 0;
    let bytes = 0;
    let sinceTurn = 0;
    let appliedSeq = segment.appliedSeq;
    let nextDay: number | null = null;
    while (next !== null) {
      const written = this.#writeFrame(writer, next.frame, appliedSeq);
      appliedSeq = next.frame.firstSeq + BigInt(next.frame.recordCount) - 1n;
      rows += written;
      sinceTurn += written;
      bytes += next.frame.payload.length;
      if (rows >= BATCH_ROWS || bytes >= BATCH_BYTES) break;
      // Queries wait for this thread, and ingest for its core: let them in after each chunk.
      if (sinceTurn >= CHUNK_ROWS) {
        sinceTurn = 0;
        await this.#options.rightOfWay.pause();
      }
      next = reader.next(upto);
      if (next !== null && next.segmentDay !== segment.day) {
        nextDay = next.segmentDay;
        break;
      }
    }
    writer.flush();
    appender.closeSync();
    await this.#moveTo(segment, appliedSeq, segment.rows + BigInt(rows));
    job.rowsSinceCheckpoint += rows;
    if (job.rowsSinceCheckpoint >= CHECKPOINT_ROWS && (await this.checkpoint(segment))) {
      job.rowsSinceCheckpoint = 0;
    }
    // DuckDB's own threads have worked too.
    await this.#options.rightOfWay.pause();
    return { rows, nextDay, isDiskFull: false };
  }

  /** Writes the records of a frame that lie past `appliedSeq`, up to `lastSeq`, and gives their number. */
  #writeFrame(
    writer: RowWriter,
    frame: Frame,
    appliedSeq: bigint,
    lastSeq = frame.firstSeq + BigInt(frame.recordCount),
  ): number {
    let seq = frame.firstSeq;
    let written = 0;
    for (const { resource, scopeLogs } of readLogsRequest(frame.payload).resourceLogs) {
      const resourceJson = resource === null ? null : jsonObject(resource.attributes);
      for (const { logRecords } of scopeLogs) {
        for (const record of logRecords) {
          if (seq > appliedSeq && seq <= lastSeq) {
            const envelope = readEnvelope(record, resource);
            if (frame.orgId !== "") envelope.orgId = frame.orgId;
            if (frame.projectId !== "") envelope.projectId = frame.projectId;
            const { receivedNano, keyId } = frame;
            const storeId = this.#options.storeId;
            writer.write(envelope, { seq, receivedNano, keyId, storeId, resourceJson });
            written++;
          }
          seq++;
        }
      }
    }
    return written;
  }
}

/** A journal that cannot be read, or an instance that DuckDB gave up: no record's fault. */
function isFatal(error: unknown): boolean {
  if (error instanceof AuditError) return true;
  return /FATAL|has been invalidated|out of memory/i.test((error as Error).message);
}

/** DuckDB takes the transaction back and goes on: so does applying, once there is room. */
function isDiskFull(error: unknown): boolean {
  return /No space left/i.test((error as Error).message);
}
