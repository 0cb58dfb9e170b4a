import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "@agent-audit/schema";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { CatalogLog, type Hold, type SealedSegment } from "../catalog-log.js";
import { renewStoreId, storeIdsOf } from "../data-directory.js";
import { DiskGuard, type DiskGuardLimits } from "../disk-guard.js";
import { removeDropped } from "../dropped.js";
import { listJournalFiles } from "../journal/journal-files.js";
import { JournalReader } from "../journal/journal-reader.js";
import {
  type QuarantineEntry,
  type QuarantinePage,
  type QuarantinePlace,
  readQuarantine,
  readQuarantineEntry,
} from "../journal/read-quarantine.js";
import type { ReadScope } from "../read-scope.js";
import { dayOf, dayText, partOf, type SegmentId, segmentName } from "../segment-id.js";
import { covers, type SeqRange } from "../seq-range.js";
import type { SharedPosition } from "../shared-position.js";
import { type Applied, Applier, type Job } from "./applier.js";
import { columnDefinitions } from "./columns.js";
import { isDamage, probe } from "./damage.js";
import { type DatabaseOptions, openDatabase } from "./database.js";
import { type ExportSlice, exportLines } from "./export-lines.js";
import { Leases } from "./leases.js";
import { QueryRunner } from "./query-runner.js";
import { type RawRecord, readRawRecord } from "./raw-record.js";
import { ProgressMeter, type RebuildProgress } from "./rebuild-progress.js";
import { RightOfWay } from "./right-of-way.js";
import { prepareSeal, SealMismatchError } from "./seal-segment.js";
import type { Segment, SegmentState } from "./segment.js";
import { type SegmentRange, segmentRanges } from "./segment-ranges.js";
import { SegmentSet } from "./segment-set.js";
import {
  type LeasedSegments,
  NO_EVENTS,
  snapshotSegments,
  type TimeRange,
} from "./snapshot-segments.js";

/** How long the engine rests when it has applied everything; what is acknowledged is visible after this at most. */
const IDLE_MILLIS = 20;
/** How long applying rests when the disk is full. */
const DISK_FULL_MILLIS = 500;
/** Records of the newest segment that wait to be applied; beyond that older ones wait. */
const FAR_BEHIND_RECORDS = 50_000n;
/** How long a segment that could not be sealed is left alone. */
const SEAL_AGAIN_MILLIS = 5_000;
/** Beyond every sequence. */
const WHOLE_JOURNAL = 2n ** 63n - 1n;

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
}

interface Drop {
  segment: Segment;
  resolve: () => void;
  reject: (error: Error) => void;
}

export interface SegmentStatus {
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
  readonly #options: EngineOptions;
  readonly #position: SharedPosition;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #catalog: CatalogLog;
  readonly #segments: SegmentSet;
  readonly #guard: DiskGuard;
  readonly #leases = new Leases();
  readonly #applier: Applier;
  readonly #rightOfWay: RightOfWay;
  #live: Job | null = null;
  #rebuilds: Job[] = [];
  /** Ended segments that are up to date and wait to be sealed. */
  #ended: Segment[] = [];
  /** A segment that is ready for its last step. */
  #sealable: { segment: Segment; sealed: SealedSegment } | null = null;
  #sealing: Promise<void> | null = null;
  /** Segments that were made again because they did not hold what their journal has. */
  readonly #mismatched = new Set<SegmentId>();
  #sealAgainAt = 0;
  #probing: Promise<void> | null = null;
  #drops: Drop[] = [];
  #isClosing = false;
  #preparing: Promise<void> = Promise.resolve();
  #applying: Promise<void> = Promise.resolve();

  private constructor(
    options: EngineOptions,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
  ) {
    const { directory } = options;
    this.#options = options;
    this.#position = options.position;
    this.#rightOfWay = new RightOfWay(options.position);
    this.#guard = new DiskGuard(directory.root, options.diskGuard);
    this.#catalog = new CatalogLog(directory.root);
    this.#segments = new SegmentSet({
      connection,
      directory,
      catalog: this.#catalog,
      storeIds: storeIdsOf(directory),
      onDamaged: options.onDamaged,
    });
    this.#applier = new Applier({
      connection,
      journalDirectory: directory.journal,
      rightOfWay: this.#rightOfWay,
      guard: this.#guard,
      onSetAside: options.onSetAside,
    });
    // What a crash has left of segments that were dropped.
    removeDropped(directory, this.#catalog.dropped);
    this.#instance = instance;
    this.#connection = connection;
    this.queries = new QueryRunner(instance, (error) => this.#suspect(error));
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
    const { syncedSeq } = this.#position;
    const ranges = this.#ranges(syncedSeq);
    this.#segments.refuseStrayFiles(ranges);
    if (this.#catalog.dropped.some(({ lastSeq }) => lastSeq > syncedSeq)) {
      throw new AuditError(
        "engine_ahead",
        `the journal ends at ${syncedSeq}, before sequences that retention has dropped: acknowledged events are missing from it`,
        "restore the newest journal files, or go on without these events with --accept-journal-loss",
      );
    }
    const newest = ranges.at(-1);
    if (newest !== undefined) await this.#segments.attach(newest, true);
  }

  /**
   * Gives up what the engine holds past the recovered journal's end, instead of {@link verify}, and gives the data
   * directory a new id.
   *
   * @returns the sequences that the journal has lost
   */
  async acceptJournalLoss(): Promise<SeqRange> {
    const { syncedSeq } = this.#position;
    const ahead = await this.#segments.detachAhead(this.#ranges(syncedSeq));
    const droppedUpto = this.#catalog.dropped.map(({ lastSeq }) => lastSeq);
    const lastSeq = [ahead.lastSeq, ...droppedUpto].reduce((a, b) => (a > b ? a : b));
    const lost = { firstSeq: syncedSeq + 1n, lastSeq };
    // Written down before anything is moved: a start after a kill here asks again, or knows.
    this.#catalog.append({ event: "journal_lost", first_seq: lost.firstSeq, last_seq: lastSeq });
    renewStoreId(this.#options.directory);
    this.#segments.moveToLost(ahead.ids);
    return lost;
  }

  /** Losses that were accepted and are not in the trail yet. */
  unrecordedLosses(): SeqRange[] {
    return [...this.#catalog.unrecordedLosses];
  }

  /** Marks the oldest of them as recorded. */
  lossRecorded(): void {
    this.#catalog.append({ event: "journal_loss_recorded" });
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

  /** Takes a lease on the segments that can hold events of a range. */
  async lease(range: TimeRange): Promise<LeasedSegments> {
    let chosen: ReturnType<typeof snapshotSegments> = [];
    const lease = await this.#leases.take(() => {
      chosen = snapshotSegments(this.#segments.all, this.#catalog, range);
      return chosen.filter(({ shown }) => shown.table !== null).map(({ id }) => id);
    });
    return { lease, segments: chosen.map(({ shown }) => shown) };
  }

  release(lease: number): void {
    this.#leases.release(lease);
  }

  segmentStatus(): SegmentStatus[] {
    return this.#segments.all.map((segment) => ({
      day: dayText(dayOf(segment.id)),
      part: partOf(segment.id),
      state: segment.state,
      rows: Number(segment.position.rows),
      bytes: segment.bytes,
      progress: this.#progressOf(segment),
    }));
  }

  /** Writes a slice of the journal as OTLP/JSON; see `exportLines`. */
  exportLines(
    afterSeq: bigint,
    uptoSeq: bigint,
    maxRecords: number,
    scope: ReadScope,
  ): ExportSlice {
    const { dropped } = this.#catalog;
    return exportLines(this.#journalDirectory, afterSeq, uptoSeq, { maxRecords, scope, dropped });
  }

  /** Reads a record as it was received; `null` when the journal does not hold it. */
  rawRecord(seq: bigint): RawRecord | null {
    if (covers(this.#catalog.dropped, { firstSeq: seq, lastSeq: seq })) return null;
    return readRawRecord(this.#journalDirectory, seq, this.#position.syncedSeq);
  }

  /** Reads a page of what was set aside; see `readQuarantine`. */
  quarantine(before: QuarantinePlace | null, limit: number, scope: ReadScope): QuarantinePage {
    const { setAside } = this.#segments;
    return readQuarantine(this.#journalDirectory, before, limit, { scope, setAside });
  }

  /** Reads one entry of what was set aside; `null` when there is none at that place. */
  quarantineEntry(place: QuarantinePlace, scope: ReadScope): QuarantineEntry | null {
    const { setAside } = this.#segments;
    return readQuarantineEntry(this.#journalDirectory, place, { scope, setAside });
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
      const rows = Number(position.rows);
      return [{ name: segmentName(id), firstSeq, lastSeq, rows, bytes: bytes + journalBytes }];
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
    await new Promise<void>((resolve, reject) => {
      this.#drops.push({ segment, resolve, reject });
    });
  }

  holds(): Hold[] {
    return this.#catalog.holds;
  }

  addHold(hold: Hold): void {
    this.#catalog.append({ event: "hold_added", ...hold });
  }

  /** @throws AuditError `not_found` */
  removeHold(id: string): void {
    if (!this.#catalog.holds.some((hold) => hold.id === id)) {
      throw new AuditError("not_found", `there is no hold ${id}`, "list the holds");
    }
    this.#catalog.append({ event: "hold_removed", id });
  }

  /** Finishes the running transaction and closes the files. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#rightOfWay.close();
    await this.queries.close();
    await this.#preparing;
    await this.#applying;
    await this.#sealing;
    await this.#probing;
    for (const { reject } of this.#drops) {
      reject(new AuditError("stopping", "the server is stopping", "try again later"));
    }
    for (const segment of this.#segments.all) {
      if (segment.state !== "sealed") await this.#checkpoint(segment);
    }
    this.#catalog.close();
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  get #journalDirectory(): string {
    return this.#options.directory.journal;
  }

  #ranges(syncedSeq: bigint): SegmentRange[] {
    return segmentRanges(this.#journalDirectory, syncedSeq, this.#catalog.dropped);
  }

  async #openNewest(): Promise<void> {
    try {
      const newest = this.#ranges(WHOLE_JOURNAL).at(-1);
      if (newest !== undefined) await this.#segments.attachEarly(newest);
    } catch {
      // A journal file without a header, which recovery removes, or what `verify` reports.
    }
  }

  async #compare(syncedSeq: bigint): Promise<void> {
    const ranges = this.#ranges(syncedSeq);
    for (const [index, range] of ranges.entries()) {
      const isNewest = index === ranges.length - 1;
      const segment = await this.#segments.attach(range, isNewest);
      const isBehind = segment.appliedSeq < range.lastSeq;
      if (!isNewest) segment.lastSeq = range.lastSeq;
      if (isNewest || isBehind) this.#follow(segment, isBehind ? range.lastSeq : null);
      else if (segment.state !== "sealed") this.#ended.push(segment);
    }
  }

  /**
   * Gives a segment its place among what is applied.
   *
   * @param lastSeq what it must reach to be up to date; `null` when it is
   */
  #follow(segment: Segment, lastSeq: bigint | null): void {
    const reader = new JournalReader(this.#journalDirectory, segment.appliedSeq + 1n);
    const meter =
      lastSeq === null
        ? null
        : new ProgressMeter(segmentName(segment.id), segment.appliedSeq, lastSeq);
    const job: Job = { segment, reader, rowsSinceCheckpoint: 0, meter };
    if (segment.lastSeq === null) {
      this.#live = job;
      return;
    }
    segment.state = "rebuilding";
    this.#rebuilds.push(job);
  }

  async #applyUntilClosed(syncedAtStart: bigint, onCaughtUp: () => void): Promise<void> {
    let isCaughtUp = false;
    while (!this.#isClosing) {
      await this.#replaceFiles();
      const isIdle = !(await this.#applyLive());
      this.#publish();
      if (!isCaughtUp && this.#position.appliedSeq >= syncedAtStart) {
        isCaughtUp = true;
        onCaughtUp();
      }
      this.#startSealing();
      // Steady ingest must not keep an older segment from being made again, nor that make new events wait for long.
      const [rebuild] = this.#isFarBehind ? [] : this.#rebuilds;
      if (rebuild !== undefined) await this.#rebuildStep(rebuild);
      else if (isIdle) await sleep(IDLE_MILLIS);
    }
  }

  get #isFarBehind(): boolean {
    return this.#position.syncedSeq - this.#position.appliedSeq > FAR_BEHIND_RECORDS;
  }

  /** What was once visible stays counted as applied while its segment is made again: queries are refused then. */
  #publish(): void {
    const appliedSeq = this.#live?.segment.appliedSeq ?? 0n;
    if (appliedSeq > this.#position.appliedSeq) this.#position.appliedSeq = appliedSeq;
  }

  /** Gives `false` when there was nothing to do. */
  async #applyLive(): Promise<boolean> {
    this.#live ??= await this.#firstJob();
    const live = this.#live;
    if (live === null || live.segment.state === "damaged") return false;
    const { rows, nextSegment } = await this.#applyBatch(live, this.#position.syncedSeq);
    if (nextSegment !== null) await this.#endLive(live, nextSegment);
    return rows > 0 || nextSegment !== null;
  }

  async #endLive({ segment, reader }: Job, nextSegment: SegmentId): Promise<void> {
    await this.#checkpoint(segment);
    reader.close();
    segment.lastSeq = segment.appliedSeq;
    if (segment.state !== "sealed") this.#ended.push(segment);
    this.#follow(await this.#segments.begin(nextSegment, segment.appliedSeq + 1n), null);
    this.#options.onSegmentEnded();
  }

  /** A full disk is waited out: what is not applied yet is safe in the journal. */
  async #applyBatch(job: Job, upto: bigint): Promise<Applied> {
    try {
      const applied = await this.#applier.applyBatch(job, upto);
      if (applied.isDiskFull) await sleep(DISK_FULL_MILLIS);
      this.#report(job);
      return applied;
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#segments.markDamaged(job.segment, (error as Error).message);
      return { rows: 1, nextSegment: null, isDiskFull: false };
    }
  }

  async #checkpoint(segment: Segment): Promise<void> {
    try {
      await this.#applier.checkpoint(segment);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#segments.markDamaged(segment, (error as Error).message);
    }
  }

  #report(job: Job): void {
    const { meter, segment } = job;
    if (meter?.isDue(segment.appliedSeq)) {
      this.#options.onProgress(meter.progress(segment.appliedSeq));
    }
    if (!meter?.isDone(segment.appliedSeq)) return;
    job.meter = null;
    if (segment.lastSeq === null && segment.state === "rebuilding") segment.state = "open";
  }

  #progressOf(segment: Segment): RebuildProgress | null {
    const jobs = this.#live === null ? this.#rebuilds : [this.#live, ...this.#rebuilds];
    const meter = jobs.find((job) => job.segment === segment)?.meter;
    return meter?.progress(segment.appliedSeq) ?? null;
  }

  /** A new store has no segment before its first record. */
  async #firstJob(): Promise<Job | null> {
    const [range] = this.#ranges(this.#position.syncedSeq);
    if (range !== undefined) {
      this.#follow(await this.#segments.begin(range.id, range.firstSeq), null);
    }
    return this.#live;
  }

  async #rebuildStep(job: Job): Promise<void> {
    const { segment } = job;
    const lastSeq = segment.lastSeq as bigint;
    if (segment.state === "rebuilding" && !(await this.#rebuildBatch(job, lastSeq))) return;
    if (segment.state === "rebuilding" && segment.appliedSeq < lastSeq) return;
    this.#rebuilds.shift();
    job.reader.close();
    if (segment.state === "damaged") return;
    segment.state = "open";
    await this.#checkpoint(segment);
    this.#ended.push(segment);
  }

  /** Gives `false` when the journal cannot be read: the segment stays unreadable, and all others go on. */
  async #rebuildBatch(job: Job, lastSeq: bigint): Promise<boolean> {
    try {
      await this.#applyBatch(job, lastSeq);
      return true;
    } catch (error) {
      if (!(error instanceof AuditError) || error.code !== "journal_corrupt") throw error;
      this.#rebuilds.shift();
      job.reader.close();
      this.#options.onFault(`${segmentName(job.segment.id)} cannot be made: ${error.message}`);
      return false;
    }
  }

  /** Does what needs a segment without readers, where there are none just now. */
  async #replaceFiles(): Promise<void> {
    const [drop] = this.#drops;
    if (drop !== undefined) await this.#dropStep(drop);
    if (!this.#guard.hasRoom(0)) return;
    for (const segment of this.#segments.all) {
      const isBusy = this.#sealing !== null || this.#probing !== null;
      if (segment.state !== "damaged" || isBusy || !this.#leases.claim(segment.id)) continue;
      await this.#remake(segment);
      this.#leases.free(segment.id);
    }
    const { segment, sealed } = this.#sealable ?? {};
    if (segment === undefined || sealed === undefined) return;
    if (segment.state !== "open") this.#leases.free(segment.id);
    else if (this.#probing !== null || !this.#leases.claim(segment.id)) return;
    else await this.#seal(segment, sealed);
    this.#sealable = null;
  }

  async #dropStep({ segment, resolve, reject }: Drop): Promise<void> {
    // Being made again: it is sealed another time, and can be dropped then.
    const isChanged = this.#segments.all.every((other) => other !== segment);
    if (!isChanged && segment.state === "sealed") {
      if (this.#probing !== null || !this.#leases.claim(segment.id)) return;
      try {
        await this.#segments.drop(segment);
        resolve();
      } catch (error) {
        reject(error as Error);
      }
      this.#leases.free(segment.id);
    } else reject(new AuditError("segment_rebuilding", "it is made again", "try again later"));
    this.#drops.shift();
  }

  async #remake(segment: Segment): Promise<void> {
    const made = await this.#segments.remake(segment);
    made.state = "rebuilding";
    if (this.#live?.segment === segment) this.#live.reader.close();
    this.#ended = this.#ended.filter((ended) => ended !== segment);
    this.#follow(made, segment.lastSeq ?? this.#position.appliedSeq);
  }

  async #seal(segment: Segment, sealed: SealedSegment): Promise<void> {
    try {
      await this.#segments.attachSealed(segment);
    } catch (error) {
      this.#segments.markDamaged(segment, (error as Error).message);
      this.#leases.free(segment.id);
      return;
    }
    this.#leases.free(segment.id);
    try {
      this.#catalog.append(sealed);
    } catch (error) {
      // The next start checks and seals it again.
      this.#options.onFault(`${segmentName(segment.id)}: ${(error as Error).message}`);
    }
  }

  /** Checks the next ended segment beside everything else; its last step waits for a moment without readers. */
  #startSealing(): void {
    if (this.#sealing !== null || this.#sealable !== null) return;
    if (performance.now() < this.#sealAgainAt) return;
    const segment = this.#ended.shift();
    if (segment?.state !== "open") return;
    this.#sealing = this.#prepareSeal(segment).finally(() => {
      this.#sealing = null;
    });
  }

  async #prepareSeal(segment: Segment): Promise<void> {
    const connection = await this.#instance.connect();
    try {
      this.#sealable = { segment, sealed: await prepareSeal(connection, segment) };
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof SealMismatchError && this.#mismatched.has(segment.id)) {
        // Made from the same journal it would be the same again.
        this.#options.onFault(`${segmentName(segment.id)} cannot be sealed: ${message}`);
      } else if (isDamage(error) || error instanceof SealMismatchError) {
        this.#mismatched.add(segment.id);
        this.#segments.markDamaged(segment, message);
      } else {
        // A full disk, or a query that hinders the checkpoint: it stays readable and writable meanwhile.
        this.#ended.push(segment);
        this.#sealAgainAt = performance.now() + SEAL_AGAIN_MILLIS;
      }
    } finally {
      connection.closeSync();
    }
  }

  /** Finds out which segment's file a query could not read. */
  #suspect(error: unknown): boolean {
    if (!isDamage(error)) return false;
    this.#probing ??= this.#probeAll().finally(() => {
      this.#probing = null;
    });
    return true;
  }

  async #probeAll(): Promise<void> {
    const connection = await this.#instance.connect();
    try {
      for (const segment of this.#segments.all) {
        const lease = await this.#leases.take(() => [segment.id]);
        // Another may have come in its place while this waited.
        const isCurrent = this.#segments.get(segment.id) === segment && segment.isReadable;
        const reason = isCurrent && !this.#isClosing ? await probe(connection, segment) : null;
        this.#leases.release(lease);
        if (reason !== null) this.#segments.markDamaged(segment, reason);
      }
    } finally {
      connection.closeSync();
    }
  }
}
