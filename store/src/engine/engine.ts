import { AuditError } from "@agent-audit/schema";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { CatalogLog } from "../catalog-log.js";
import { storeIdsOf } from "../data-directory.js";
import { DiskGuard, type DiskGuardLimits } from "../disk-guard.js";
import { removeDropped } from "../dropped.js";
import { nodeDisk } from "../journal/disk.js";
import { listJournalFiles } from "../journal/journal-files.js";
import { JournalReader } from "../journal/journal-reader.js";
import { dayOf, dayText, partOf, segmentName } from "../segment-id.js";
import { covers, MAX_SEQ, type SeqRange } from "../seq-range.js";
import type { SharedPosition } from "../shared-position.js";
import { Applier } from "./applier.js";
import { columnDefinitions } from "./columns.js";
import { type DatabaseOptions, memoryLimitMib, openDatabase } from "./database.js";
import { JournalAnswers } from "./journal-answers.js";
import { JournalFollower } from "./journal-follower.js";
import { JournalLoss } from "./journal-loss.js";
import { Leases } from "./leases.js";
import { QueryRunner } from "./query-runner.js";
import type { RebuildProgress } from "./rebuild-progress.js";
import { RightOfWay } from "./right-of-way.js";
import type { SegmentState } from "./segment.js";
import { SegmentChanges } from "./segment-changes.js";
import { type SegmentRange, segmentRanges } from "./segment-ranges.js";
import { SegmentSet } from "./segment-set.js";
import {
  type LeasedSegments,
  NO_EVENTS,
  snapshotSegments,
  type TimeRange,
} from "./snapshot-segments.js";

export interface EngineOptions extends DatabaseOptions {
  position: SharedPosition;
  /** What must stay free of the disk for applying to go on. */
  diskGuard: DiskGuardLimits;
  /** Told of each record that cannot be a row; it stays in the journal. */
  onSetAside: (seq: bigint, reason: string) => void;
  /** Told of each segment whose file is given up and made again from the journal. */
  onDamaged: (segment: string, reason: string) => void;
  /** Told of what an operator must look at. */
  onFault: (message: string) => void;
  /** Told when a segment gets no more records. */
  onSegmentEnded: () => void;
  /** Told from time to time, and at its end, how far the making of a segment is. */
  onProgress: (progress: RebuildProgress) => void;
}

/** A segment that is old enough to be dropped, or not. */
export interface RetentionCandidate extends SeqRange {
  name: string;
  rows: number;
  /** Engine file and journal. */
  bytes: number;
  /** Least and greatest event time, ns since 1970 UTC; `null` without rows. */
  minTime: bigint | null;
  maxTime: bigint | null;
}

export interface SegmentStatus {
  /** Day and part, as its file is named. */
  name: string;
  /** UTC receive day, `YYYY-MM-DD`. */
  day: string;
  /** From 0: later parts of a day with more records than one segment takes. */
  part: number;
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
  readonly journal: JournalAnswers;
  readonly loss: JournalLoss;
  readonly catalog: CatalogLog;
  readonly #options: EngineOptions;
  readonly #position: SharedPosition;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #segments: SegmentSet;
  readonly #leases = new Leases();
  readonly #changes: SegmentChanges;
  readonly #follower: JournalFollower;
  readonly #rightOfWay: RightOfWay;
  #preparing: Promise<void> = Promise.resolve();
  #applying: Promise<void> = Promise.resolve();
  #isClosing = false;

  private constructor(
    options: EngineOptions,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
  ) {
    const { directory } = options;
    this.#options = options;
    this.#position = options.position;
    this.#rightOfWay = new RightOfWay(options.position, () => this.queries.longestMillis);
    const guard = new DiskGuard(directory.root, options.diskGuard);
    this.catalog = new CatalogLog(directory.root);
    this.#segments = new SegmentSet({
      connection,
      directory,
      catalog: this.catalog,
      storeIds: storeIdsOf(directory),
      onDamaged: options.onDamaged,
    });
    this.loss = new JournalLoss({
      directory,
      position: options.position,
      catalog: this.catalog,
      segments: this.#segments,
      ranges: (syncedSeq) => this.#ranges(syncedSeq),
    });
    // What a crash has left of segments that were dropped.
    removeDropped(directory, this.catalog.dropped);
    this.#instance = instance;
    this.#connection = connection;
    this.#changes = new SegmentChanges({
      instance,
      segments: this.#segments,
      catalog: this.catalog,
      leases: this.#leases,
      guard,
      checkpoint: async (segment) => await this.#follower.checkpoint(segment),
      onRemade: (made, old) => this.#follower.followRemade(made, old),
      onFault: options.onFault,
    });
    const applier = new Applier({
      connection,
      openJournal: (fromSeq) => this.#openJournal(fromSeq),
      memoryLimitMib: memoryLimitMib(options),
      rightOfWay: this.#rightOfWay,
      memory: {
        isShort: () => this.queries.isMemoryShort,
        idleMark: () => (this.#changes.sealing === null ? this.queries.executions : null),
        alone: async (work) => {
          await this.#changes.sealing;
          return await this.queries.alone(work);
        },
      },
      guard,
      onSetAside: options.onSetAside,
    });
    this.#follower = new JournalFollower({
      ...options,
      openJournal: (fromSeq) => this.#openJournal(fromSeq),
      segments: this.#segments,
      changes: this.#changes,
      applier,
      ranges: (syncedSeq) => this.#ranges(syncedSeq),
    });
    this.journal = new JournalAnswers(
      directory.journal,
      options.position,
      this.catalog,
      this.#segments,
    );
    this.queries = new QueryRunner(instance, (error) => this.#changes.suspect(error));
  }

  /** @throws AuditError `data_directory_locked`, `catalog_corrupt` */
  static async open(options: EngineOptions): Promise<Engine> {
    const instance = await openDatabase(options);
    const connection = await instance.connect();
    await connection.run(`CREATE OR REPLACE TABLE ${NO_EVENTS} (${columnDefinitions()})`);
    return new Engine(options, instance, connection);
  }

  /**
   * Opens the newest segment, whose WAL may take long to replay, beside the recovery of the journal. Whatever hinders
   * it comes up again in {@link JournalLoss.refuse}, when the journal is recovered.
   */
  async prepare(): Promise<void> {
    this.#preparing = this.#openNewest();
    await this.#preparing;
  }

  /**
   * Compares all segments with the recovered journal and applies what they lack.
   *
   * @param onFatal called when applying cannot go on; the process must end and replay
   * @returns when everything that the journal held at the call is visible; segments that had to be
   *   rebuilt may take longer
   * @throws AuditError `engine_ahead` when the journal lacks events that the engine has; `stopping` when {@link close} came
   *   before
   */
  async follow(onFatal: (error: unknown) => void): Promise<void> {
    const syncedAtStart = this.#position.syncedSeq;
    const comparing = this.#compare(syncedAtStart);
    this.#applying = comparing.catch(() => {
      // Told to the caller.
    });
    await comparing;
    await new Promise<void>((resolve, reject) => {
      this.#applying = this.#follower.run(syncedAtStart, resolve).then(
        () => reject(stopping()),
        (error) => {
          reject(error);
          onFatal(error);
        },
      );
    });
  }

  /** Takes a lease on the segments that can hold events of a range. */
  async lease(range: TimeRange): Promise<LeasedSegments> {
    let chosen: ReturnType<typeof snapshotSegments> = [];
    const lease = await this.#leases.take(() => {
      chosen = snapshotSegments(this.#segments.all, this.catalog, range);
      return chosen.filter(({ shown }) => shown.table !== null).map(({ id }) => id);
    });
    return { lease, segments: chosen.map(({ shown }) => shown) };
  }

  release(lease: number): void {
    this.#leases.release(lease);
  }

  segmentStatus(): SegmentStatus[] {
    return this.#segments.all.map((segment) => ({
      name: segmentName(segment.id),
      day: dayText(dayOf(segment.id)),
      part: partOf(segment.id),
      state: segment.state,
      rows: Number(segment.position.rows),
      bytes: segment.bytes,
      progress: this.#follower.progressOf(segment),
    }));
  }

  /** Names the sealed segments of days before one, days since 1970 UTC: they can be dropped. */
  retentionCandidates(beforeDay: number): RetentionCandidate[] {
    const journal = listJournalFiles(this.#journalDirectory);
    return this.#segments.all.flatMap(({ id, state, firstSeq, lastSeq, position, bytes }) => {
      if (state !== "sealed" || dayOf(id) >= beforeDay || lastSeq === null) return [];
      const files = journal.filter(({ segment }) => segment === id);
      // One that is not compressed yet may be being compressed just now.
      if (!files.every(({ isSealed }) => isSealed)) return [];
      const journalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
      const { minTime, maxTime } = position;
      const rows = Number(position.rows);
      const name = segmentName(id);
      return [{ name, firstSeq, lastSeq, rows, bytes: bytes + journalBytes, minTime, maxTime }];
    });
  }

  /**
   * Drops a sealed segment with its journal for good, once nobody reads it.
   *
   * @throws AuditError `not_found` when there is no such sealed segment
   */
  async drop(name: string): Promise<void> {
    const segment = this.#segments.all.find(({ id }) => segmentName(id) === name);
    if (segment?.state !== "sealed") {
      throw new AuditError("not_found", `there is no sealed segment ${name}`, "see the plan");
    }
    await this.#changes.drop(segment);
  }

  /**
   * Gives up the file of a segment, which is then made again from the journal, once that was read to its end: until then the
   * file may be the only copy that can be read.
   *
   * @throws AuditError `not_found`, `journal_corrupt`
   */
  remake(name: string): void {
    const segment = this.#segments.all.find(({ id }) => segmentName(id) === name);
    if (segment === undefined) {
      throw new AuditError("not_found", `there is no segment ${name}`, "status lists them");
    }
    this.#openJournal(segment.firstSeq).checkUpto(segment.lastSeq ?? this.#position.syncedSeq);
    this.#segments.markDamaged(segment, "an operator asked for it");
  }

  /** Finishes the running transaction and closes the files. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#follower.stop();
    this.#rightOfWay.close();
    await this.queries.close();
    await this.#preparing;
    await this.#applying;
    await this.#changes.close();
    for (const segment of this.#segments.all) {
      if (segment.state !== "sealed") await this.#follower.checkpoint(segment);
    }
    this.catalog.close();
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  /** Reads the journal from a sequence on, past what may be missing from it. */
  #openJournal(fromSeq: bigint): JournalReader {
    return new JournalReader(this.#journalDirectory, fromSeq, nodeDisk, (range) =>
      covers(this.catalog.absent, range),
    );
  }

  get #journalDirectory(): string {
    return this.#options.directory.journal;
  }

  #ranges(syncedSeq: bigint): SegmentRange[] {
    return segmentRanges(this.#journalDirectory, syncedSeq, this.catalog.dropped);
  }

  async #openNewest(): Promise<void> {
    try {
      const newest = this.#ranges(MAX_SEQ).at(-1);
      if (newest !== undefined) await this.#segments.attachEarly(newest);
    } catch {
      // A journal file without a header, which recovery removes, or what {@link JournalLoss} reports.
    }
  }

  async #compare(syncedSeq: bigint): Promise<void> {
    const ranges = this.#ranges(syncedSeq);
    for (const [index, range] of ranges.entries()) {
      if (this.#isClosing) throw stopping();
      const isNewest = index === ranges.length - 1;
      const segment = await this.#segments.attach(range, isNewest);
      const isBehind = segment.appliedSeq < range.lastSeq;
      if (!isNewest) segment.lastSeq = range.lastSeq;
      if (isNewest || isBehind) this.#follower.follow(segment, isBehind ? range.lastSeq : null);
      else this.#changes.ended(segment);
    }
  }
}

function stopping(): AuditError {
  return new AuditError("stopping", "the server is stopping", "start it again");
}
