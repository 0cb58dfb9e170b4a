import { AuditError } from "@agent-audit/schema";
import type { DuckDBInstance } from "@duckdb/node-api";
import type { CatalogLog, SealedSegment } from "../catalog-log.js";
import type { DiskGuard } from "../disk-guard.js";
import { type SegmentId, segmentName } from "../segment-id.js";
import { isDamage, probe } from "./damage.js";
import type { Leases } from "./leases.js";
import { prepareSeal, SealMismatchError } from "./seal-segment.js";
import type { Segment } from "./segment.js";
import type { SegmentSet } from "./segment-set.js";

/** How long a segment that could not be sealed is left alone. */
const SEAL_AGAIN_MILLIS = 5_000;
/** How often that happens before an operator is told: a query alone can be the reason. */
const MAX_QUIET_FAILURES = 3;

export interface SegmentChangesOptions {
  instance: DuckDBInstance;
  segments: SegmentSet;
  catalog: CatalogLog;
  leases: Leases;
  guard: DiskGuard;
  /** Brings all that a segment holds into its file; gives `false` when that was put off, or the file is given up. */
  checkpoint: (segment: Segment) => Promise<boolean>;
  /** Told of a segment whose file was given up, and of the empty one in its place. */
  onRemade: (made: Segment, old: Segment) => void;
  /** Told of what an operator must look at. */
  onFault: (message: string) => void;
}

interface Drop {
  segment: Segment;
  resolve: () => void;
  reject: (error: Error) => void;
}

/**
 * Changes the files of segments: seals those that have ended, replaces damaged ones, drops old ones. Each change waits
 * for a moment without readers, which {@link step} looks for; what takes long is done beside everything else.
 */
export class SegmentChanges {
  readonly #options: SegmentChangesOptions;
  /** Ended segments that are up to date and wait to be sealed. */
  #ended: Segment[] = [];
  /** A segment that is ready for its last step. */
  #sealable: { segment: Segment; sealed: SealedSegment } | null = null;
  #sealing: Promise<void> | null = null;
  #sealAgainAt = 0;
  #sealFailures = 0;
  /** Segments that were made again because they did not hold what their journal has. */
  readonly #mismatched = new Set<SegmentId>();
  #probing: Promise<void> | null = null;
  #drops: Drop[] = [];
  #isClosing = false;

  constructor(options: SegmentChangesOptions) {
    this.#options = options;
  }

  /** Takes a segment that has ended and is up to date. */
  ended(segment: Segment): void {
    if (segment.state !== "sealed") this.#ended.push(segment);
  }

  /** Tells whether a query's error is one of a segment's file, and begins to find out which. */
  suspect(error: unknown): boolean {
    if (!isDamage(error)) return false;
    this.#probing ??= this.#probeAll().finally(() => {
      this.#probing = null;
    });
    return true;
  }

  /** Drops a segment with its journal for good; resolves when it is gone. */
  async drop(segment: Segment): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#drops.push({ segment, resolve, reject });
    });
  }

  /** Resolves when the segment that is being prepared for its sealing is; `null` while none is. */
  get sealing(): Promise<void> | null {
    return this.#sealing;
  }

  /** Does what can be done now. Nothing may be applied meanwhile. */
  async step(): Promise<void> {
    const [drop] = this.#drops;
    if (drop !== undefined) await this.#dropStep(drop);
    // The rest needs room, of which dropping makes some.
    if (!this.#options.guard.hasRoom(0)) return;
    for (const segment of this.#options.segments.all) {
      if (segment.state === "damaged") await this.#replaceStep(segment);
    }
    await this.#sealStep();
    this.#startSealing();
  }

  /** Waits for what runs. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#sealing;
    await this.#probing;
    for (const { reject } of this.#drops) {
      reject(new AuditError("stopping", "the server is stopping", "try again later"));
    }
  }

  async #dropStep({ segment, resolve, reject }: Drop): Promise<void> {
    const { segments, leases } = this.#options;
    // Being made again: it is sealed another time, and can be dropped then.
    if (segments.get(segment.id) !== segment || segment.state !== "sealed") {
      reject(new AuditError("segment_rebuilding", "it is made again", "try again later"));
    } else if (this.#probing !== null || !leases.claim(segment.id)) return;
    else {
      await segments.drop(segment).then(resolve, reject);
      leases.free(segment.id);
    }
    this.#drops.shift();
  }

  async #replaceStep(segment: Segment): Promise<void> {
    const { segments, leases, onRemade } = this.#options;
    if (this.#sealing !== null || this.#probing !== null || !leases.claim(segment.id)) return;
    const made = await segments.remake(segment);
    made.state = "rebuilding";
    this.#ended = this.#ended.filter((ended) => ended !== segment);
    onRemade(made, segment);
    leases.free(segment.id);
  }

  async #sealStep(): Promise<void> {
    if (this.#sealable === null) return;
    const { segment, sealed } = this.#sealable;
    const { leases } = this.#options;
    if (segment.state === "open") {
      if (this.#probing !== null || !leases.claim(segment.id)) return;
      await this.#seal(segment, sealed);
    }
    leases.free(segment.id);
    this.#sealable = null;
  }

  async #seal(segment: Segment, sealed: SealedSegment): Promise<void> {
    const { segments, catalog, checkpoint, onFault } = this.#options;
    if (!(await checkpoint(segment))) {
      if (segment.state === "open") this.#sealLater(segment, "its last checkpoint was put off");
      return;
    }
    try {
      await segments.attachSealed(segment);
    } catch (error) {
      segments.markDamaged(segment, (error as Error).message);
      return;
    }
    this.#sealFailures = 0;
    try {
      catalog.append(sealed);
    } catch (error) {
      // The next start checks and seals it again.
      onFault(`${segmentName(segment.id)}: ${(error as Error).message}`);
    }
  }

  /** Checks the next ended segment beside everything else. */
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
    const { instance, segments, onFault } = this.#options;
    const connection = await instance.connect();
    try {
      this.#sealable = {
        segment,
        sealed: await prepareSeal(connection, segment, this.#options.catalog.absent),
      };
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof SealMismatchError && this.#mismatched.has(segment.id)) {
        // Made from the same journal it would be the same again.
        onFault(`${segmentName(segment.id)} cannot be sealed: ${message}`);
      } else if (isDamage(error) || error instanceof SealMismatchError) {
        this.#mismatched.add(segment.id);
        segments.markDamaged(segment, message);
      } else {
        this.#sealLater(segment, message);
      }
    } finally {
      connection.closeSync();
    }
  }

  /** After a full disk, or a query that took all memory: it stays readable and writable meanwhile. */
  #sealLater(segment: Segment, reason: string): void {
    this.#ended.push(segment);
    this.#sealAgainAt = performance.now() + SEAL_AGAIN_MILLIS;
    if (++this.#sealFailures === MAX_QUIET_FAILURES) {
      this.#options.onFault(`${segmentName(segment.id)} is not sealed yet: ${reason}`);
    }
  }

  /** Reads all segments, to find those whose files cannot be read: the error of a query does not name one. */
  async #probeAll(): Promise<void> {
    const { instance, segments, leases } = this.#options;
    const connection = await instance.connect();
    try {
      for (const segment of segments.all) {
        if (!segment.isReadable || this.#isClosing) continue;
        const lease = await leases.take(() => [segment.id]);
        // Another may have come in its place while this waited.
        const isCurrent = segments.get(segment.id) === segment && segment.isReadable;
        const reason = isCurrent && !this.#isClosing ? await probe(connection, segment) : null;
        leases.release(lease);
        if (reason !== null) segments.markDamaged(segment, reason);
      }
    } finally {
      connection.closeSync();
    }
  }
}
