import type { Hold } from "../catalog-log.js";
import type {
  QuarantineEntry,
  QuarantinePage,
  QuarantinePlace,
} from "../journal/read-quarantine.js";
import type { ReadScope } from "../read-scope.js";
import type { SeqRange } from "../seq-range.js";
import type { EngineOptions, RetentionCandidate, SegmentStatus } from "./engine.js";
import type { ExportSlice } from "./export-lines.js";
import type { QueryRequest } from "./query-runner.js";
import type { RawRecord } from "./raw-record.js";
import type { RebuildProgress } from "./rebuild-progress.js";
import type { Column } from "./result-columns.js";
import type { LeasedSegments, TimeRange } from "./snapshot-segments.js";

/** What the engine's thread is started with. */
export interface EngineWorkerData {
  root: string;
  positionBuffer: SharedArrayBuffer;
  memoryLimitMib: EngineOptions["memoryLimitMib"];
  threads: EngineOptions["threads"];
  diskGuard: EngineOptions["diskGuard"];
}

/** A value that a result row can carry from thread to thread. */
export type Cell = null | boolean | number | bigint | string | Cell[] | { key: Cell; value: Cell };

/** Lists what the engine's thread does on request, and with what it answers. */
export interface EngineCalls {
  open: { request: undefined; reply: undefined };
  prepare: { request: undefined; reply: undefined };
  verify: { request: undefined; reply: undefined };
  acceptJournalLoss: { request: undefined; reply: SeqRange[] };
  unrecordedLosses: { request: undefined; reply: SeqRange[] };
  lossRecorded: { request: undefined; reply: undefined };
  follow: { request: undefined; reply: undefined };
  query: { request: QueryRequest; reply: Cell[][] };
  queryColumns: { request: QueryRequest; reply: Column[] };
  /** Names the message that asked. */
  cancelQuery: { request: { id: number }; reply: undefined };
  lease: { request: TimeRange; reply: LeasedSegments };
  release: { request: { lease: number }; reply: undefined };
  segments: { request: undefined; reply: SegmentStatus[] };
  exportLines: {
    request: { afterSeq: bigint; uptoSeq: bigint; maxRecords: number; scope: ReadScope };
    reply: ExportSlice;
  };
  rawRecord: { request: { seq: bigint }; reply: RawRecord | null };
  quarantine: {
    request: { before: QuarantinePlace | null; limit: number; scope: ReadScope };
    reply: QuarantinePage;
  };
  quarantineEntry: {
    request: { place: QuarantinePlace; scope: ReadScope };
    reply: QuarantineEntry | null;
  };
  retentionCandidates: { request: { beforeDay: number }; reply: RetentionCandidate[] };
  drop: { request: { name: string }; reply: undefined };
  remake: { request: { name: string }; reply: undefined };
  holds: { request: undefined; reply: Hold[] };
  addHold: { request: Hold; reply: undefined };
  removeHold: { request: { id: string }; reply: undefined };
  close: { request: undefined; reply: undefined };
}

export interface EngineRequest {
  id: number;
  method: keyof EngineCalls;
  argument: unknown;
}

/** Carries an error between threads, where classes do not survive. */
export interface ErrorMessage {
  code: string;
  message: string;
  hint: string;
}

export type EngineReply =
  | { id: number; result: unknown }
  | { id: number; error: ErrorMessage }
  | { fatal: ErrorMessage }
  | { setAside: { seq: bigint; reason: string } }
  | { fault: string }
  | { damaged: { segment: string; reason: string } }
  | { segmentEnded: true }
  | { progress: RebuildProgress };
