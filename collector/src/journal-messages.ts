import type { JournalCut, StreamTotals } from "@agent-audit/store";
import type { ReceivedBody } from "./admit.js";
import type { Settled } from "./group-commit.js";
import type { IngestOptions } from "./ingest.js";
import type { IngestCounters } from "./ingest-counters.js";
import type { ServerEvent } from "./server-event.js";

/** What the journal's thread is started with. */
export interface JournalWorkerData
  extends Pick<
    IngestOptions,
    | "directory"
    | "storeId"
    | "formerStoreIds"
    | "diskGuard"
    | "maxQuarantineBytesPerDay"
    | "deduplicatesUnidentified"
    | "segmentLimits"
  > {
  positionBuffer: SharedArrayBuffer;
}

/** Asks for a body to be stored; the body's memory moves along. */
export interface StoreRequest extends ReceivedBody {
  id: number;
}

/** Asks for an event of the server's own to be stored. */
export interface RecordRequest {
  id: number;
  event: ServerEvent;
}

export type JournalRequest = { begin: true } | StoreRequest | RecordRequest | { close: true };

/** Says what became of one body. `stored` means on disk. */
export type StoreOutcome =
  | {
      status: "stored";
      /** Highest sequence that the body's records got; 0 when it held none. */
      lastSeq: bigint;
      rejectedCount: number;
      /** Why the first rejected record was rejected. */
      reason: string;
    }
  | { status: "refused"; httpStatus: 400 | 413 | 415; reason: string }
  /** The disk is nearly full. */
  | { status: "no_room" }
  /** The journal failed, and the server ends. */
  | { status: "failed" };

export type JournalReply =
  | { ready: { cut: JournalCut | null; streams: StreamTotals } }
  | { begun: true }
  | {
      outcomes: Settled[];
      counters: IngestCounters;
      streams: StreamTotals;
      /** Whether the disk has room for more. */
      hasRoom: boolean;
    }
  | { fatal: { code: string; message: string; hint: string } }
  | { closed: true };
