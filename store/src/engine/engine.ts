import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "@agent-audit/schema";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type DataDirectory, storeIdOf } from "../data-directory.js";
import { DiskGuard, type DiskGuardLimits } from "../disk-guard.js";
import { JournalReader } from "../journal/journal-reader.js";
import {
  type QuarantineEntry,
  type QuarantinePage,
  type QuarantinePlace,
  readQuarantine,
  readQuarantineEntry,
} from "../journal/read-quarantine.js";
import type { SharedPosition } from "../shared-position.js";
import { type Applied, Applier, type Job } from "./applier.js";
import { columnDefinitions } from "./columns.js";
import { type DatabaseOptions, openDatabase } from "./database.js";
import { type ExportSlice, exportLines } from "./export-lines.js";
import { QueryRunner } from "./query-runner.js";
import { type RawRecord, readRawRecord } from "./raw-record.js";
import { ProgressMeter, type RebuildProgress } from "./rebuild-progress.js";
import { RightOfWay } from "./right-of-way.js";
import { dayText, Segment, type SegmentState, segmentFile } from "./segment.js";
import { type SegmentRange, segmentRanges } from "./segment-ranges.js";

/** How long the engine rests when it has applied everything; what is acknowledged is visible after this at most. */
const IDLE_MILLIS = 20;
/** How long applying rests when the disk is full. */
const DISK_FULL_MILLIS = 500;
/** Stands for the segments while there is none, so that every query has a table to read. */
const NO_EVENTS = "catalog.main.no_events";
/** Beyond every sequence. */
const WHOLE_JOURNAL = 2n ** 63n - 1n;

export interface EngineOptions extends DatabaseOptions {
  position: SharedPosition;
  /** What must stay free of the disk for applying to go on. */
  diskGuard: DiskGuardLimits;
  /** Told of each record that cannot be a row; it stays in the journal. */
  onSetAside: (seq: bigint, reason: string) => void;
  /** Told when a segment gets no more records. */
  onSegmentEnded: () => void;
  /** Told from time to time, and at its end, how far the making of a segment is. */
  onProgress: (progress: RebuildProgress) => void;
}

export interface SegmentStatus {
  day: string;
  state: SegmentState;
  rows: number;
  bytes: number;
  /** While it is made from the journal, or catches up with it; else `null`. */
  progress: RebuildProgress | null;
}

/**
 * Keeps the DuckDB view of the journal. Rows and position change in one transaction, so the view can be
 * thrown away at any moment and goes on where it was. Lives on exactly one thread: a second instance of
 * DuckDB on the same files would not fail, the two would silently disagree.
 */
export class Engine {
  readonly queries: QueryRunner;
  readonly #directory: DataDirectory;
  readonly #position: SharedPosition;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #segments = new Map<number, Segment>();
  readonly #applier: Applier;
  readonly #rightOfWay: RightOfWay;
  readonly #onSegmentEnded: () => void;
  readonly #onProgress: (progress: RebuildProgress) => void;
  #live: Job | null = null;
  #rebuilds: Job[] = [];
  #isClosing = false;
  #preparing: Promise<void> = Promise.resolve();
  #applying: Promise<void> = Promise.resolve();

  private constructor(
    options: EngineOptions,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
  ) {
    this.#directory = options.directory;
    this.#position = options.position;
    this.#onSegmentEnded = options.onSegmentEnded;
    this.#onProgress = options.onProgress;
    this.#rightOfWay = new RightOfWay(options.position);
    this.#applier = new Applier({
      connection,
      journalDirectory: options.directory.journal,
      storeId: storeIdOf(options.directory),
      rightOfWay: this.#rightOfWay,
      guard: new DiskGuard(options.directory.root, options.diskGuard),
      onSetAside: options.onSetAside,
    });
    this.#instance = instance;
    this.#connection = connection;
    this.queries = new QueryRunner(instance);
  }

  /** @throws AuditError `data_directory_locked` */
  static async open(options: EngineOptions): Promise<Engine> {
    const instance = await openDatabase(options);
    const connection = await instance.connect();
    await connection.run(`CREATE OR REPLACE TABLE ${NO_EVENTS} (${columnDefinitions()})`);
    return new Engine(options, instance, connection);
  }

  /**
   * Opens the newest segment, whose WAL may take long to replay, beside the recovery of the journal. Whatever hinders
   * it comes up again in {@link verify}, when the journal is recovered.
   */
  async prepare(): Promise<void> {
    this.#preparing = this.#openNewest();
    await this.#preparing;
  }

  /**
   * Compares the newest segment with the recovered journal: quick whatever the amount stored.
   *
   * @throws AuditError `engine_ahead` when the journal lacks events that the engine has
   */
  async verify(): Promise<void> {
    const ranges = segmentRanges(this.#directory.journal, this.#position.syncedSeq);
    this.#refuseStrayFiles(new Set(ranges.map(({ day }) => dayText(day))));
    const newest = ranges.at(-1);
    if (newest !== undefined) await this.#attachChecked(newest);
  }

  /**
   * Compares all segments with the recovered journal and applies what they lack.
   *
   * @param onFatal called when applying cannot go on; the process must end and replay
   * @returns when everything that the journal held at the call is visible; segments that had to be
   *   rebuilt may take longer
   * @throws AuditError `engine_ahead` when the journal lacks events that the engine has
   */
  async follow(onFatal: (error: unknown) => void): Promise<void> {
    const syncedAtStart = this.#position.syncedSeq;
    await this.#compare(syncedAtStart);
    await new Promise<void>((resolve, reject) => {
      this.#applying = this.#applyUntilClosed(syncedAtStart, resolve).catch((error) => {
        reject(error);
        onFatal(error);
      });
    });
  }

  /** Names the tables that hold all events. @throws AuditError `segment_rebuilding` */
  tables(): string[] {
    const segments = [...this.#segments.values()].sort((a, b) => a.day - b.day);
    const rebuilding = segments.find(({ state }) => state === "rebuilding");
    if (rebuilding !== undefined) {
      throw new AuditError(
        "segment_rebuilding",
        `the segment of ${dayText(rebuilding.day)} is being rebuilt from the journal`,
        "ask again in a few seconds; /api/v1/status shows the progress",
      );
    }
    if (segments.length === 0) return [NO_EVENTS];
    return segments.map(({ alias }) => `${alias}.events`);
  }

  segmentStatus(): SegmentStatus[] {
    return [...this.#segments.values()]
      .sort((a, b) => a.day - b.day)
      .map((segment) => ({
        day: dayText(segment.day),
        state: segment.state,
        rows: Number(segment.rows),
        bytes: segment.bytes,
        progress: this.#progressOf(segment),
      }));
  }

  /** Writes a slice of the journal as OTLP/JSON; see `exportLines`. */
  exportLines(afterSeq: bigint, uptoSeq: bigint, maxRecords: number): ExportSlice {
    return exportLines(this.#directory.journal, afterSeq, uptoSeq, maxRecords);
  }

  /** Reads a record as it was received; `null` when the journal does not hold it. */
  rawRecord(seq: bigint): RawRecord | null {
    return readRawRecord(this.#directory.journal, seq, this.#position.syncedSeq);
  }

  /** Reads a page of what was set aside; see `readQuarantine`. */
  quarantine(before: QuarantinePlace | null, limit: number): QuarantinePage {
    return readQuarantine(this.#directory.journal, before, limit);
  }

  /** Reads one entry of what was set aside; `null` when there is none at that place. */
  quarantineEntry(place: QuarantinePlace): QuarantineEntry | null {
    return readQuarantineEntry(this.#directory.journal, place);
  }

  /** Finishes the running transaction and closes the files. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#rightOfWay.close();
    await this.queries.close();
    await this.#preparing;
    await this.#applying;
    for (const segment of this.#segments.values()) await this.#applier.checkpoint(segment);
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  async #openNewest(): Promise<void> {
    try {
      const ranges = segmentRanges(this.#directory.journal, WHOLE_JOURNAL);
      const newest = ranges.findLast(({ day }) => fs.existsSync(segmentFile(this.#directory, day)));
      if (newest !== undefined) await this.#attach(newest.day, newest.firstSeq);
    } catch {
      // A journal file without a header, which recovery removes, or what `verify` reports.
    }
  }

  async #compare(syncedSeq: bigint): Promise<void> {
    const ranges = segmentRanges(this.#directory.journal, syncedSeq);
    for (const range of ranges) {
      const { day, lastSeq } = range;
      const segment = await this.#attachChecked(range);
      const isNewest = day === ranges.at(-1)?.day;
      const isBehind = segment.appliedSeq < lastSeq;
      if (!isNewest && !isBehind) continue;
      const job = this.#job(segment, isNewest ? null : lastSeq);
      if (isBehind) job.meter = new ProgressMeter(dayText(day), segment.appliedSeq, lastSeq);
      if (isNewest) this.#live = job;
      else {
        segment.state = "rebuilding";
        this.#rebuilds.push(job);
      }
    }
  }

  /** A segment that no journal stands behind means that the journal is older than the engine. */
  #refuseStrayFiles(days: ReadonlySet<string>): void {
    for (const name of fs.readdirSync(this.#directory.events)) {
      if (!name.endsWith(".duckdb") || days.has(name.slice(0, 10))) continue;
      throw new AuditError(
        "engine_ahead",
        `${this.#directory.events}/${name} holds events of which the journal has none`,
        "restore the journal that belongs to it, or move the file away",
      );
    }
  }

  async #attach(day: number, firstSeq: bigint): Promise<Segment> {
    const segment = await Segment.attach(this.#connection, this.#directory, day, firstSeq);
    this.#segments.set(day, segment);
    return segment;
  }

  async #attachChecked({ day, firstSeq, lastSeq }: SegmentRange): Promise<Segment> {
    const segment = this.#segments.get(day) ?? (await this.#attach(day, firstSeq));
    if (segment.appliedSeq > lastSeq) {
      throw new AuditError(
        "engine_ahead",
        `the engine has applied sequence ${segment.appliedSeq}, the journal ends at ${lastSeq}: acknowledged events are missing from the journal`,
        "restore the newest journal files; an older copy was put in their place",
      );
    }
    return segment;
  }

  #job(segment: Segment, lastSeq: bigint | null): Job {
    const reader = new JournalReader(this.#directory.journal, segment.appliedSeq + 1n);
    return { segment, reader, lastSeq, rowsSinceCheckpoint: 0, meter: null };
  }

  async #applyUntilClosed(syncedAtStart: bigint, onCaughtUp: () => void): Promise<void> {
    let isCaughtUp = false;
    while (!this.#isClosing) {
      const isIdle = !(await this.#applyLive());
      this.#position.appliedSeq = this.#live?.segment.appliedSeq ?? 0n;
      if (!isCaughtUp && this.#position.appliedSeq >= syncedAtStart) {
        isCaughtUp = true;
        onCaughtUp();
      }
      if (!isIdle) continue;
      const [rebuild] = this.#rebuilds;
      if (rebuild === undefined) await sleep(IDLE_MILLIS);
      else await this.#rebuildStep(rebuild);
    }
  }

  /** Gives `false` when there was nothing to do. */
  async #applyLive(): Promise<boolean> {
    this.#live ??= await this.#firstJob();
    if (this.#live === null) return false;
    const applied = await this.#applyBatch(this.#live, this.#position.syncedSeq);
    const { rows, nextDay } = applied;
    if (nextDay !== null) {
      await this.#applier.checkpoint(this.#live.segment);
      const firstSeq = this.#live.segment.appliedSeq + 1n;
      this.#live.reader.close();
      this.#live = this.#job(await this.#attach(nextDay, firstSeq), null);
      this.#onSegmentEnded();
    }
    return rows > 0 || nextDay !== null;
  }

  /** A full disk is waited out: what is not applied yet is safe in the journal. */
  async #applyBatch(job: Job, upto: bigint): Promise<Applied> {
    const applied = await this.#applier.applyBatch(job, upto);
    if (applied.isDiskFull) await sleep(DISK_FULL_MILLIS);
    this.#report(job);
    return applied;
  }

  #report(job: Job): void {
    const { meter, segment } = job;
    if (meter?.isDue(segment.appliedSeq)) this.#onProgress(meter.progress(segment.appliedSeq));
    if (meter?.isDone(segment.appliedSeq)) job.meter = null;
  }

  #progressOf(segment: Segment): RebuildProgress | null {
    const jobs = this.#live === null ? this.#rebuilds : [this.#live, ...this.#rebuilds];
    const meter = jobs.find((job) => job.segment === segment)?.meter;
    return meter?.progress(segment.appliedSeq) ?? null;
  }

  /** A new store has no segment before its first record. */
  async #firstJob(): Promise<Job | null> {
    const [range] = segmentRanges(this.#directory.journal, this.#position.syncedSeq);
    if (range === undefined) return null;
    return this.#job(await this.#attach(range.day, range.firstSeq), null);
  }

  async #rebuildStep(job: Job): Promise<void> {
    await this.#applyBatch(job, job.lastSeq as bigint);
    if (job.segment.appliedSeq < (job.lastSeq as bigint)) return;
    await this.#applier.checkpoint(job.segment);
    job.reader.close();
    job.segment.state = "open";
    this.#rebuilds.shift();
  }
}
