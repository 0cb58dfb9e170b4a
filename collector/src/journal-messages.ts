import type { JournalCut } from "@agent-audit/store";
import type { ReceivedBody } from "./admit.js";

/** What the journal's thread is started with. */
export interface JournalWorkerData {
  directory: string;
  storeId: string;
  positionBuffer: SharedArrayBuffer;
}

/** Asks for a body to be stored; the body's memory moves along. */
export interface StoreRequest extends ReceivedBody {
  id: number;
}

export type JournalRequest = StoreRequest | { close: true };

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
  | { status: "failed" };

export type JournalReply =
  | { ready: { nextSeq: bigint; cut: JournalCut | null } }
  | { outcomes: [id: number, outcome: StoreOutcome][] }
  | { fatal: { code: string; message: string; hint: string } }
  | { closed: true };
