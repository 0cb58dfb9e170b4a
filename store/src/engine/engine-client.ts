import { Worker } from "node:worker_threads";
import { AuditError } from "@agent-audit/schema";
import type { Hold } from "../catalog-log.js";
import type { DiskGuardLimits } from "../disk-guard.js";
import type {
  QuarantineEntry,
  QuarantinePage,
  QuarantinePlace,
} from "../journal/read-quarantine.js";
import type { ReadScope } from "../read-scope.js";
import type { SeqRange } from "../seq-range.js";
import type { SharedPosition } from "../shared-position.js";
import type { RetentionCandidate, SegmentStatus } from "./engine.js";
import type {
  Cell,
  EngineCalls,
  EngineReply,
  EngineWorkerData,
  ErrorMessage,
} from "./engine-messages.js";
import type { ExportSlice } from "./export-lines.js";
import type { QueryRequest } from "./query-runner.js";
import type { RawRecord } from "./raw-record.js";
import type { RebuildProgress } from "./rebuild-progress.js";
import type { Column } from "./result-columns.js";
import type { LeasedSegments, TimeRange } from "./snapshot-segments.js";

export interface EngineClientOptions {
  root: string;
  position: SharedPosition;
  memoryLimitMib?: number | undefined;
  threads?: number | undefined;
  diskGuard: DiskGuardLimits;
  /** Called once when the engine cannot go on; the process must end and replay. */
  onFatal: (error: Error) => void;
  /** Told of each record that cannot be a row; it stays in the journal. */
  onSetAside?: ((seq: bigint, reason: string) => void) | undefined;
  /** Told of each segment whose file is given up and made again from the journal. */
  onDamaged?: ((segment: string, reason: string) => void) | undefined;
  /** Told of what an operator must look at. */
  onFault?: ((message: string) => void) | undefined;
  /** Told when a segment gets no more records. */
  onSegmentEnded: () => void;
  /** Told from time to time, and at its end, how far the making of a segment is. */
  onProgress?: ((progress: RebuildProgress) => void) | undefined;
}

interface Waiting {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

/** Speaks to the thread that owns DuckDB. */
export class EngineClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isClosed = false;

  private constructor(options: EngineClientOptions) {
    const workerData: EngineWorkerData = {
      root: options.root,
      positionBuffer: options.position.buffer,
      memoryLimitMib: options.memoryLimitMib,
      threads: options.threads,
      diskGuard: options.diskGuard,
    };
    this.#worker = new Worker(new URL("./engine-worker.js", import.meta.url), { workerData });
    this.#worker.on("message", (reply: EngineReply) => {
      if ("fatal" in reply) options.onFatal(errorOf(reply.fatal));
      else if ("segmentEnded" in reply) options.onSegmentEnded();
      else if ("progress" in reply) options.onProgress?.(reply.progress);
      else if ("fault" in reply) options.onFault?.(reply.fault);
      else if ("damaged" in reply) {
        options.onDamaged?.(reply.damaged.segment, reply.damaged.reason);
      } else if ("setAside" in reply)
        options.onSetAside?.(reply.setAside.seq, reply.setAside.reason);
      else this.#settle(reply);
    });
    this.#worker.on("error", (error) => this.#fail(error, options.onFatal));
    this.#worker.on("exit", (code) => {
      if (!this.#isClosed) {
        this.#fail(new Error(`the engine's thread ended with code ${code}`), options.onFatal);
      }
    });
  }

  /** Starts the thread and takes the data directory's lock. @throws AuditError `data_directory_locked` */
  static async open(options: EngineClientOptions): Promise<EngineClient> {
    const client = new EngineClient(options);
    try {
      await client.#call("open", undefined);
    } catch (error) {
      client.#isClosed = true;
      await client.#worker.terminate();
      throw error;
    }
    return client;
  }

  /** Opens the newest segment; see `Engine.prepare`. */
  async prepare(): Promise<void> {
    await this.#call("prepare", undefined);
  }

  /** Compares the newest segment with the recovered journal; see `Engine.verify`. */
  async verify(): Promise<void> {
    await this.#call("verify", undefined);
  }

  /** Gives up what the journal has lost; see `Engine.acceptJournalLoss`. */
  async acceptJournalLoss(): Promise<SeqRange[]> {
    return await this.#call("acceptJournalLoss", undefined);
  }

  async unrecordedLosses(): Promise<SeqRange[]> {
    return await this.#call("unrecordedLosses", undefined);
  }

  async lossRecorded(): Promise<void> {
    await this.#call("lossRecorded", undefined);
  }

  /** Starts applying the recovered journal; see `Engine.follow`. */
  async follow(): Promise<void> {
    await this.#call("follow", undefined);
  }

  /** Runs one prepared statement, until nobody wants it; see `QueryRunner.rows`. */
  async query(request: QueryRequest, signal?: AbortSignal): Promise<Cell[][]> {
    return await this.#ask("query", request, signal);
  }

  /** See `QueryRunner.columns`. */
  async queryColumns(request: QueryRequest, signal?: AbortSignal): Promise<Column[]> {
    return await this.#ask("queryColumns", request, signal);
  }

  async #ask<M extends "query" | "queryColumns">(
    method: M,
    request: QueryRequest,
    signal?: AbortSignal,
  ): Promise<EngineCalls[M]["reply"]> {
    const answer = this.#call(method, request);
    const id = this.#lastId;
    // When the thread is gone, its end is told elsewhere.
    const cancel = () => void this.#call("cancelQuery", { id }).catch(() => {});
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await answer;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Takes a lease on the segments of a time range; see `Engine.lease`. */
  async lease(range: TimeRange): Promise<LeasedSegments> {
    return await this.#call("lease", range);
  }

  async release(lease: number): Promise<void> {
    await this.#call("release", { lease });
  }

  async segments(): Promise<SegmentStatus[]> {
    return await this.#call("segments", undefined);
  }

  async exportLines(slice: EngineCalls["exportLines"]["request"]): Promise<ExportSlice> {
    return await this.#call("exportLines", slice);
  }

  async rawRecord(seq: bigint): Promise<RawRecord | null> {
    return await this.#call("rawRecord", { seq });
  }

  async quarantine(
    before: QuarantinePlace | null,
    limit: number,
    scope: ReadScope,
  ): Promise<QuarantinePage> {
    return await this.#call("quarantine", { before, limit, scope });
  }

  async quarantineEntry(place: QuarantinePlace, scope: ReadScope): Promise<QuarantineEntry | null> {
    return await this.#call("quarantineEntry", { place, scope });
  }

  async retentionCandidates(beforeDay: number): Promise<RetentionCandidate[]> {
    return await this.#call("retentionCandidates", { beforeDay });
  }

  /** Drops a segment; see `Engine.drop`. */
  async drop(name: string): Promise<void> {
    await this.#call("drop", { name });
  }

  /** Gives up a segment's file; see `Engine.remake`. */
  async remake(name: string): Promise<void> {
    await this.#call("remake", { name });
  }

  async holds(): Promise<Hold[]> {
    return await this.#call("holds", undefined);
  }

  async addHold(hold: Hold): Promise<void> {
    await this.#call("addHold", hold);
  }

  async removeHold(id: string): Promise<void> {
    await this.#call("removeHold", { id });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#call("close", undefined);
  }

  #call<M extends keyof EngineCalls>(
    method: M,
    argument: EngineCalls[M]["request"],
  ): Promise<EngineCalls[M]["reply"]> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, argument });
    });
  }

  #settle(reply: Extract<EngineReply, { id: number }>): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting?.reject(errorOf(reply.error));
    else waiting?.resolve(reply.result as never);
  }

  #fail(error: Error, onFatal: (error: Error) => void): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    onFatal(error);
  }
}

function errorOf({ code, message, hint }: ErrorMessage): AuditError {
  return new AuditError(code, message, hint);
}
