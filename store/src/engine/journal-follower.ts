import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "@agent-audit/schema";
import type { JournalReader } from "../journal/journal-reader.js";
import { type SegmentId, segmentName } from "../segment-id.js";
import type { SharedPosition } from "../shared-position.js";
import type { Applied, Applier, Job } from "./applier.js";
import { isDamage } from "./damage.js";
import { ProgressMeter, type RebuildProgress } from "./rebuild-progress.js";
import type { Segment } from "./segment.js";
import type { SegmentChanges } from "./segment-changes.js";
import type { SegmentRange } from "./segment-ranges.js";
import type { SegmentSet } from "./segment-set.js";

/** How long the engine rests when it has applied everything; what is acknowledged is visible after this at most. */
const IDLE_MILLIS = 20;
/** How long applying rests when disk or memory do not suffice. */
const HELD_UP_MILLIS = 500;
/** Records of the newest segment that wait to be applied; beyond that older ones wait. */
const FAR_BEHIND_RECORDS = 50_000n;

export interface JournalFollowerOptions {
  /** Reads the journal from a sequence on. */
  openJournal: (fromSeq: bigint) => JournalReader;
  position: SharedPosition;
  segments: SegmentSet;
  changes: SegmentChanges;
  applier: Applier;
  /** Says which segments there must be, up to a sequence. */
  ranges: (syncedSeq: bigint) => SegmentRange[];
  /** Told when a segment gets no more records. */
  onSegmentEnded: () => void;
  /** Told from time to time, and at its end, how far the making of a segment is. */
  onProgress: (progress: RebuildProgress) => void;
  /** Told of what an operator must look at. */
  onFault: (message: string) => void;
}

/** Brings what the journal has into the segments: new records into the newest, what older ones lack into those. */
export class JournalFollower {
  readonly #options: JournalFollowerOptions;
  #live: Job | null = null;
  readonly #rebuilds: Job[] = [];
  #isStopped = false;

  constructor(options: JournalFollowerOptions) {
    this.#options = options;
  }

  /**
   * Gives a segment its place among what is applied.
   *
   * @param lastSeq what it must reach to be up to date; `null` when it is
   */
  follow(segment: Segment, lastSeq: bigint | null): void {
    const reader = this.#options.openJournal(segment.appliedSeq + 1n);
    const meter =
      lastSeq === null
        ? null
        : new ProgressMeter(segmentName(segment.id), segment.appliedSeq, lastSeq);
    const job: Job = { segment, reader, rowsSinceCheckpoint: 0, meter, foundNoMemory: false };
    if (segment.lastSeq === null) {
      this.#live = job;
      return;
    }
    segment.state = "rebuilding";
    this.#rebuilds.push(job);
  }

  /**
   * Follows the journal until {@link stop}; changes of segments find their moment in between.
   *
   * @param onCaughtUp called once what was synced at the start is visible
   */
  async run(syncedAtStart: bigint, onCaughtUp: () => void): Promise<void> {
    let isCaughtUp = false;
    while (!this.#isStopped) {
      await this.#options.changes.step();
      const isIdle = !(await this.#applyLive());
      this.#publish();
      if (!isCaughtUp && this.#options.position.appliedSeq >= syncedAtStart) {
        isCaughtUp = true;
        onCaughtUp();
      }
      // Steady ingest must not keep an older segment from being made again, nor that make new events wait for long.
      const [rebuild] = this.#isFarBehind ? [] : this.#rebuilds;
      if (rebuild !== undefined) await this.#rebuildStep(rebuild);
      else if (isIdle) await sleep(IDLE_MILLIS);
    }
  }

  /** Ends {@link run} after its current piece of work. */
  stop(): void {
    this.#isStopped = true;
  }

  get #isFarBehind(): boolean {
    return (
      this.#options.position.syncedSeq - this.#options.position.appliedSeq > FAR_BEHIND_RECORDS
    );
  }

  /** What was once visible stays counted as applied while its segment is made again: queries are refused then. */
  #publish(): void {
    const appliedSeq = this.#live?.segment.appliedSeq ?? 0n;
    if (appliedSeq > this.#options.position.appliedSeq)
      this.#options.position.appliedSeq = appliedSeq;
  }

  /** Gives `false` when there was nothing to do. */
  async #applyLive(): Promise<boolean> {
    this.#live ??= await this.#firstJob();
    const live = this.#live;
    if (live === null || live.segment.state === "damaged") return false;
    const synced = () => this.#options.position.syncedSeq;
    const { rows, nextSegment } = await this.#applyBatch(live, synced(), synced);
    if (nextSegment !== null) await this.#endLive(live, nextSegment);
    return rows > 0 || nextSegment !== null;
  }

  async #endLive({ segment, reader }: Job, nextSegment: SegmentId): Promise<void> {
    await this.checkpoint(segment);
    reader.close();
    segment.lastSeq = segment.appliedSeq;
    this.#options.changes.ended(segment);
    this.follow(await this.#options.segments.begin(nextSegment, segment.appliedSeq + 1n), null);
    this.#options.onSegmentEnded();
  }

  /** A shortage is waited out: what is not applied yet is safe in the journal. */
  async #applyBatch(job: Job, upto: bigint, arrived?: () => bigint): Promise<Applied> {
    try {
      const applied = await this.#options.applier.applyBatch(job, upto, arrived);
      if (applied.isHeldUp) await sleep(HELD_UP_MILLIS);
      this.#report(job);
      return applied;
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#options.segments.markDamaged(job.segment, (error as Error).message);
      return { rows: 1, nextSegment: null, isHeldUp: false };
    }
  }

  /** Brings a segment's WAL into its file; gives `false` when that was put off, or the file is given up. */
  async checkpoint(segment: Segment): Promise<boolean> {
    try {
      return await this.#options.applier.checkpoint(segment);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#options.segments.markDamaged(segment, (error as Error).message);
      return false;
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

  /** How far the making of a segment is; `null` for one that is up to date. */
  progressOf(segment: Segment): RebuildProgress | null {
    const jobs = this.#live === null ? this.#rebuilds : [this.#live, ...this.#rebuilds];
    const meter = jobs.find((job) => job.segment === segment)?.meter;
    return meter?.progress(segment.appliedSeq) ?? null;
  }

  /** A new store has no segment before its first record. */
  async #firstJob(): Promise<Job | null> {
    const [range] = this.#options.ranges(this.#options.position.syncedSeq);
    if (range !== undefined) {
      this.follow(await this.#options.segments.begin(range.id, range.firstSeq), null);
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
    await this.checkpoint(segment);
    this.#options.changes.ended(segment);
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

  /** Goes on with the empty segment that stands in the place of a damaged one. */
  followRemade(made: Segment, old: Segment): void {
    if (this.#live?.segment === old) this.#live.reader.close();
    this.follow(made, made.lastSeq ?? this.#options.position.appliedSeq);
  }
}
