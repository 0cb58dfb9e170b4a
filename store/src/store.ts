import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hold } from "./catalog-log.js";
import {
  type DataDirectory,
  makeDataDirectory,
  type StoreIds,
  storeIdsOf,
} from "./data-directory.js";
import type { DiskGuardLimits } from "./disk-guard.js";
import type { RetentionCandidate, SegmentStatus } from "./engine/engine.js";
import { EngineClient } from "./engine/engine-client.js";
import type { Cell } from "./engine/engine-messages.js";
import type { QueryRequest } from "./engine/query-runner.js";
import type { RawRecord } from "./engine/raw-record.js";
import type { RebuildProgress } from "./engine/rebuild-progress.js";
import type { Column } from "./engine/result-columns.js";
import { type SnapshotSegment, type TimeRange, tablesOf } from "./engine/snapshot-segments.js";
import { nodeDisk } from "./journal/disk.js";
import { journalNames } from "./journal/journal-files.js";
import type {
  QuarantineEntry,
  QuarantinePage,
  QuarantinePlace,
} from "./journal/read-quarantine.js";
import { sealableFiles } from "./journal/seal-journal.js";
import { Sealer } from "./journal/sealer.js";
import { EVERYTHING } from "./read-scope.js";
import type { SeqRange } from "./seq-range.js";
import { SharedPosition } from "./shared-position.js";

/** Records of one export slice: other work gets its turn between two. */
const EXPORT_RECORDS = 2_000;
/** How often it is looked whether all is sealed. */
const SETTLE_MILLIS = 100;

export interface StoreOptions {
  /** Data directory; made when missing. */
  data: string;
  /** MiB for DuckDB; default 25 % of RAM, at most 1 GiB. */
  memoryLimitMib?: number | undefined;
  /** Threads of DuckDB; default all cores. */
  threads?: number | undefined;
  /** What must stay free of the disk for applying to go on; by default nothing. */
  diskGuard?: DiskGuardLimits;
  /** Called once when the store cannot go on; the process must end with 75 and replay. */
  onFatal: (error: Error) => void;
  /** Told of each record that the engine cannot show; it stays in the journal. */
  onSetAside?: (seq: bigint, reason: string) => void;
  /** Told of each segment whose file is given up and made again from the journal; nothing is lost. */
  onDamaged?: (segment: string, reason: string) => void;
  /** Told of what an operator must look at: a segment that cannot be made, or not sealed. */
  onFault?: (message: string) => void;
  /** Told from time to time, and at its end, how far the making of a segment from the journal is. */
  onProgress?: (progress: RebuildProgress) => void;
  /** Told of each journal file that could not be sealed; it stays as it is, and nothing is lost. */
  onSealingFailed?: (message: string) => void;
}

/** How long its user waits for all queries of a snapshot. */
export interface SnapshotLimits {
  /** Default: 10 s for each query. */
  timeoutMillis?: number;
  /** Aborted when nobody wants the answers any more. */
  signal?: AbortSignal | undefined;
}

/** A set of tables to read that nothing takes away until it is released. */
export interface Snapshot {
  /** What can hold events of the wanted range, oldest first. */
  readonly segments: readonly SnapshotSegment[];
  /**
   * Qualified names of their events tables.
   *
   * @throws AuditError `segment_rebuilding` when one of them cannot be read now
   */
  readonly tables: readonly string[];
  /** Highest sequence that the tables are sure to hold. */
  readonly appliedSeq: bigint;
  /** Time that is left for queries, ms. */
  remainingMillis(): number;
  /**
   * Runs one prepared statement.
   *
   * @throws AuditError `too_many_queries`, `query_timeout`, `query_cancelled`, `segment_rebuilding`
   */
  query(request: QueryRequest): Promise<Cell[][]>;
  /** As {@link query}, by column, for answers of many numbers. */
  queryColumns(request: QueryRequest): Promise<Column[]>;
  release(): void;
}

export interface StoreStatus {
  storeId: string;
  journalSeq: bigint;
  appliedSeq: bigint;
  segments: SegmentStatus[];
  journalBytes: number;
  diskFreeBytes: number;
}

/** The data directory of one process: its lock, its positions and its engine. The journal's writer is the collector's. */
export class Store {
  readonly storeId: string;
  readonly formerStoreIds: readonly string[];
  readonly directory: DataDirectory;
  readonly position: SharedPosition;
  readonly #engine: EngineClient;
  readonly #sealer: Sealer;

  private constructor(
    [storeId, ...formerStoreIds]: StoreIds,
    directory: DataDirectory,
    position: SharedPosition,
    engine: EngineClient,
    sealer: Sealer,
  ) {
    this.storeId = storeId;
    this.formerStoreIds = formerStoreIds;
    this.directory = directory;
    this.position = position;
    this.#engine = engine;
    this.#sealer = sealer;
  }

  /**
   * Takes the data directory's lock. Nothing is applied before {@link follow}.
   *
   * @throws AuditError `data_directory`, `data_directory_locked`, `data_directory_version`
   */
  static async open(options: StoreOptions): Promise<Store> {
    const directory = makeDataDirectory(options.data);
    const position = new SharedPosition();
    const diskGuard = options.diskGuard ?? { minFreeBytes: 0, minFreePercent: 0 };
    const sealer = new Sealer(directory.journal, diskGuard, options.onSealingFailed ?? (() => {}));
    const onSegmentEnded = () => sealer.seal();
    const { root } = directory;
    const engine = await EngineClient.open({
      ...options,
      root,
      position,
      diskGuard,
      onSegmentEnded,
    });
    try {
      return new Store(storeIdsOf(directory), directory, position, engine, sealer);
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** Opens the newest segment, which may take as long as recovering the journal: do both at once. */
  async prepare(): Promise<void> {
    await this.#engine.prepare();
  }

  /**
   * Compares the newest segment with the recovered journal, before anything new is appended.
   *
   * @throws AuditError `engine_ahead` when the journal lacks events that the engine has
   */
  async verify(): Promise<void> {
    await this.#engine.verify();
  }

  /**
   * Gives up what the engine holds and the journal has lost, and gives the data directory a new id. Close the store
   * and the journal's writer then, and open both again.
   */
  async acceptJournalLoss(): Promise<SeqRange[]> {
    return await this.#engine.acceptJournalLoss();
  }

  /** Losses that were accepted and of which no event tells yet, oldest first. */
  async unrecordedLosses(): Promise<SeqRange[]> {
    return await this.#engine.unrecordedLosses();
  }

  /** Marks the oldest of them as told. */
  async lossRecorded(): Promise<void> {
    await this.#engine.lossRecorded();
  }

  /** Applies the journal, once its writer has recovered it; resolves when what it held then is visible. */
  async follow(): Promise<void> {
    this.#sealer.seal();
    await this.#engine.follow();
    // A segment that ended before the engine looked at the journal was not told of.
    this.#sealer.seal();
  }

  /** @param range event times that are of interest; default all */
  async snapshot(
    range: TimeRange = { fromNano: null, toNano: null },
    { timeoutMillis, signal }: SnapshotLimits = {},
  ): Promise<Snapshot> {
    const deadline = performance.now() + (timeoutMillis ?? Number.POSITIVE_INFINITY);
    const remainingMillis = () => Math.max(0, deadline - performance.now());
    const limit =
      timeoutMillis === undefined ? () => ({}) : () => ({ timeoutMillis: remainingMillis() });
    // Before the segments are looked at: they hold at least this much then.
    const { appliedSeq } = this.position;
    const { fromNano, toNano } = range;
    const { lease, segments } = await this.#engine.lease({ fromNano, toNano });
    return {
      segments,
      get tables() {
        return tablesOf(segments);
      },
      appliedSeq,
      remainingMillis,
      query: (request) => this.#engine.query({ ...limit(), ...request }, signal),
      queryColumns: (request) => this.#engine.queryColumns({ ...limit(), ...request }, signal),
      release: () => void this.#engine.release(lease).catch(() => {}),
    };
  }

  /** Waits until queries see a sequence; `false` when they do not within the time. */
  async waitForApplied(seq: bigint, timeoutMillis: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMillis;
    while (this.position.appliedSeq < seq) {
      if (performance.now() >= deadline) return false;
      await sleep(5);
    }
    return true;
  }

  /**
   * Gives all records after `afterSeq`, as they were received: texts of OTLP/JSON lines.
   *
   * @param uptoSeq the last one; default what is on disk at the call
   */
  async *exportLines(
    afterSeq: bigint,
    scope = EVERYTHING,
    uptoSeq = this.position.syncedSeq,
  ): AsyncGenerator<string> {
    for (let at = afterSeq; at < uptoSeq; ) {
      const { lines, lastSeq } = await this.#engine.exportLines({
        afterSeq: at,
        uptoSeq,
        maxRecords: EXPORT_RECORDS,
        scope,
      });
      yield lines;
      at = lastSeq;
    }
  }

  /** Reads a record as it was received, from the journal; `null` when there is none of that sequence. */
  async rawRecord(seq: bigint): Promise<RawRecord | null> {
    return await this.#engine.rawRecord(seq);
  }

  /** Reads a page of what was set aside, newest first; see `readQuarantine`. */
  async quarantine(
    before: QuarantinePlace | null,
    limit: number,
    scope = EVERYTHING,
  ): Promise<QuarantinePage> {
    return await this.#engine.quarantine(before, limit, scope);
  }

  /** Reads one entry of what was set aside; `null` when there is none at that place. */
  async quarantineEntry(
    place: QuarantinePlace,
    scope = EVERYTHING,
  ): Promise<QuarantineEntry | null> {
    return await this.#engine.quarantineEntry(place, scope);
  }

  /** Names the sealed segments of receive days before one, days since 1970 UTC. */
  async retentionCandidates(beforeDay: number): Promise<RetentionCandidate[]> {
    return await this.#engine.retentionCandidates(beforeDay);
  }

  /** Drops a sealed segment with its journal for good, once nobody reads it. @throws AuditError `not_found` */
  async drop(segment: string): Promise<void> {
    await this.#engine.drop(segment);
  }

  /**
   * Gives up the file of a segment, which is then made again from the journal.
   *
   * @throws AuditError `not_found`
   */
  async remake(segment: string): Promise<void> {
    await this.#engine.remake(segment);
  }

  /** Waits until every ended segment is sealed with its journal, and none is being made again. */
  async settled(): Promise<void> {
    for (;;) {
      const segments = await this.#engine.segments();
      const isRest = segments.every(({ state, progress }, i) => {
        const isNewest = i === segments.length - 1;
        return progress === null && (state === "sealed" || (isNewest && state === "open"));
      });
      if (isRest && sealableFiles(this.directory.journal, nodeDisk).length === 0) return;
      await sleep(SETTLE_MILLIS);
    }
  }

  /** Holds that are in force, oldest first. The store keeps them; what they match is the query layer's to say. */
  async holds(): Promise<Hold[]> {
    return await this.#engine.holds();
  }

  async addHold(hold: Hold): Promise<void> {
    await this.#engine.addHold(hold);
  }

  /** @throws AuditError `not_found` */
  async removeHold(id: string): Promise<void> {
    await this.#engine.removeHold(id);
  }

  async status(): Promise<StoreStatus> {
    const { bavail, bsize } = fs.statfsSync(this.directory.root);
    const journal = journalNames(this.directory.journal);
    return {
      storeId: this.storeId,
      journalSeq: this.position.syncedSeq,
      appliedSeq: this.position.appliedSeq,
      segments: await this.#engine.segments(),
      // One that is sealed just now counts again at the next call.
      journalBytes: journal.reduce(
        (sum, { path }) => sum + (fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0),
        0,
      ),
      diskFreeBytes: bavail * bsize,
    };
  }

  async close(): Promise<void> {
    // At once: the sealing thread may wait for threads of Node's pool, which the engine's queries hold.
    await Promise.all([this.#sealer.close(), this.#engine.close()]);
  }
}
