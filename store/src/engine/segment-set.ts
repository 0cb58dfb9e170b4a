import fs from "node:fs";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { CatalogLog, SealedSegment } from "../catalog-log.js";
import type { DataDirectory } from "../data-directory.js";
import { removeDropped } from "../dropped.js";
import { type SegmentId, segmentFile, segmentFiles, segmentName } from "../segment-id.js";
import type { SeqRange } from "../seq-range.js";
import { isLocked, locked, moveAside, moveToLost } from "./database.js";
import { engineAhead } from "./engine-ahead.js";
import {
  attachSegment,
  detachSegment,
  makeSegment,
  type Segment,
  type SegmentSource,
} from "./segment.js";
import type { SegmentRange } from "./segment-ranges.js";

export interface SegmentSetOptions {
  connection: DuckDBConnection;
  directory: DataDirectory;
  catalog: CatalogLog;
  /** Ids that the data directory has, or had, the current one first. */
  storeIds: readonly string[];
  /** Told of each segment whose file is given up and made again. */
  onDamaged: (segment: string, reason: string) => void;
}

/** The segments of the data directory: which are attached, and whether their files are what they must be. */
export class SegmentSet {
  readonly #options: SegmentSetOptions;
  readonly #segments = new Map<SegmentId, Segment>();

  constructor(options: SegmentSetOptions) {
    this.#options = options;
  }

  /** All attached segments, oldest first. */
  get all(): Segment[] {
    return [...this.#segments.values()].sort((a, b) => a.id - b.id);
  }

  /** Why each record that has no row has none. */
  get setAside(): ReadonlyMap<bigint, string> {
    return new Map(this.all.flatMap(({ setAside }) => [...setAside]));
  }

  get(id: SegmentId): Segment | undefined {
    return this.#segments.get(id);
  }

  /** Attaches a file that is there, without comparing it with the journal; {@link attach} does that. */
  async attachEarly(range: SegmentRange): Promise<void> {
    const source = this.#source(range);
    if (!fs.existsSync(segmentFile(this.#options.directory.events, range.id))) return;
    this.#segments.set(range.id, await attachSegment(this.#options.connection, source, false));
  }

  /**
   * Attaches a segment that the journal's range describes, making it when its file is missing or not what it must be.
   *
   * @throws AuditError `engine_ahead` when the newest segment holds events that the journal lacks
   */
  async attach(range: SegmentRange, isNewest: boolean): Promise<Segment> {
    const early = this.#segments.get(range.id);
    const segment = early ?? (await this.#attachOrMake(range, isNewest));
    if (segment.appliedSeq > range.lastSeq) {
      const { appliedSeq } = segment;
      const { lastSeq } = range;
      if (!isNewest) return await this.remake(segment, `it holds sequences past ${lastSeq}`);
      throw engineAhead(
        `the engine has applied sequence ${appliedSeq}, the journal ends at ${lastSeq}: acknowledged events are missing from it`,
      );
    }
    this.#segments.set(range.id, segment);
    return segment;
  }

  /** Makes an empty segment for records that begin now. */
  async begin(id: SegmentId, firstSeq: bigint): Promise<Segment> {
    return await this.attach({ id, firstSeq, lastSeq: firstSeq - 1n }, true);
  }

  /** Marks a segment whose file cannot be read; its readers end by themselves. */
  markDamaged(segment: Segment, reason: string): void {
    if (segment.state === "damaged") return;
    segment.state = "damaged";
    this.#tellDamaged(segment.id, reason);
  }

  /** Gives up a segment's file and attaches an empty one. Nobody may read the segment. */
  async remake(segment: Segment, reason?: string): Promise<Segment> {
    if (reason !== undefined) this.#tellDamaged(segment.id, reason);
    const { connection } = this.#options;
    await detachSegment(connection, segment.id);
    const made = await this.#make(this.#source(segment));
    made.lastSeq = segment.lastSeq;
    this.#segments.set(segment.id, made);
    return made;
  }

  /** Attaches an ended segment, whose file holds all of it, read-only. Nobody may read the segment. */
  async attachSealed(segment: Segment): Promise<void> {
    const { connection } = this.#options;
    await detachSegment(connection, segment.id);
    const again = await attachSegment(connection, this.#source(segment), true);
    again.lastSeq = segment.lastSeq;
    again.state = "sealed";
    this.#segments.set(segment.id, again);
  }

  /** Gives up a segment and its journal for good. Nobody may read it. */
  async drop({ id, firstSeq, lastSeq }: Segment): Promise<void> {
    const { connection, catalog, directory } = this.#options;
    const dropped = { id, firstSeq, lastSeq: lastSeq as bigint };
    // From here on it is dropped, whatever happens: a start finishes what is cut short.
    catalog.append({
      event: "dropped",
      segment: id,
      first_seq: firstSeq,
      last_seq: dropped.lastSeq,
    });
    this.#segments.delete(id);
    await detachSegment(connection, id);
    removeDropped(directory, [dropped]);
  }

  /** Finds the segments that hold sequences past the journal's end, or of one of its holes, and detaches them. */
  async detachLossy(
    ranges: readonly SegmentRange[],
    holes: readonly SeqRange[],
  ): Promise<{ ids: SegmentId[]; lastSeq: bigint }> {
    const { connection } = this.#options;
    const endSeq = ranges.at(-1)?.lastSeq ?? 0n;
    const lossy = { ids: [] as SegmentId[], lastSeq: endSeq };
    for (const id of segmentFiles(this.#options.directory.events)) {
      const range = ranges.find((range) => range.id === id);
      const firstSeq = range?.firstSeq ?? endSeq + 1n;
      const hasHole =
        range !== undefined &&
        holes.some((hole) => hole.firstSeq <= range.lastSeq && hole.lastSeq >= range.firstSeq);
      // What cannot be read and has no journal cannot be made again either.
      const segment =
        this.#segments.get(id) ??
        (await attachSegment(connection, this.#source({ id, firstSeq }), true).catch(() => null));
      await detachSegment(connection, id);
      this.#segments.delete(id);
      if (segment !== null && segment.appliedSeq <= endSeq && !hasHole) continue;
      lossy.ids.push(id);
      if (segment !== null && segment.appliedSeq > lossy.lastSeq) {
        lossy.lastSeq = segment.appliedSeq;
      }
    }
    return lossy;
  }

  /** Puts the files of detached segments where they are kept for good. */
  moveToLost(ids: readonly SegmentId[]): void {
    const { directory } = this.#options;
    moveToLost(
      directory,
      ids.map((id) => segmentFile(directory.events, id)),
    );
  }

  /** A segment that no journal stands behind means that the journal is older than the engine. */
  refuseStrayFiles(ranges: readonly SegmentRange[]): void {
    const known = new Set(ranges.map(({ id }) => id));
    const stray = segmentFiles(this.#options.directory.events).find((id) => !known.has(id));
    if (stray === undefined) return;
    const file = segmentFile(this.#options.directory.events, stray);
    throw engineAhead(`${file} holds events of which the journal has none`);
  }

  async #attachOrMake(range: SegmentRange, isNewest: boolean): Promise<Segment> {
    const { connection, directory, catalog } = this.#options;
    const source = this.#source(range);
    const sealed = catalog.sealed(range.id);
    if (fs.existsSync(segmentFile(directory.events, range.id))) {
      try {
        const isSealed = !isNewest && sealed?.last_seq === range.lastSeq;
        const segment = await attachSegment(connection, source, isSealed);
        if (isSealed && sealed !== undefined) {
          refuseOther(segment, sealed);
          segment.state = "sealed";
        }
        return segment;
      } catch (error) {
        const { message } = error as Error;
        if (/No space left|out of memory|Permission denied/i.test(message)) throw error;
        // Its lock is another server's, whose own file of the directory is gone.
        if (isLocked(error)) throw locked(directory, error);
        // In whatever way: the journal has every row.
        this.#tellDamaged(range.id, message);
        await detachSegment(connection, range.id);
      }
    } else if (sealed !== undefined) this.#tellDamaged(range.id, "its file is gone");
    return await this.#make(source);
  }

  async #make(source: SegmentSource): Promise<Segment> {
    const { connection, directory, catalog } = this.#options;
    moveAside(directory, segmentFile(directory.events, source.id));
    const segment = await makeSegment(connection, source);
    catalog.append({ event: "opened", segment: source.id, first_seq: source.firstSeq });
    return segment;
  }

  #tellDamaged(id: SegmentId, reason: string): void {
    this.#options.onDamaged(segmentName(id), reason);
    try {
      this.#options.catalog.append({ event: "damaged", segment: id, reason });
    } catch {
      // The disk is full: that it happened stands in the server's log.
    }
  }

  #source({ id, firstSeq }: Pick<SegmentRange, "id" | "firstSeq">): SegmentSource {
    const { directory, storeIds } = this.#options;
    return { directory: directory.events, id, firstSeq, storeIds };
  }
}

function refuseOther({ position }: Segment, sealed: SealedSegment): void {
  if (position.rows === sealed.rows && position.appliedSeq === sealed.last_seq) return;
  throw new Error(
    `it holds ${position.rows} rows up to ${position.appliedSeq}; sealed were ${sealed.rows} up to ${sealed.last_seq}`,
  );
}
