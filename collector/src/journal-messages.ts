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

/** Counts records since the start. */
export interface JournalCounters {
  /** Sound records that arrived, duplicates included. */
  received: number;
  /** Records that were written and synced. */
  stored: number;
  duplicates: number;
  /** Stored records whose id another record with other content has. */
  conflicts: number;
  /** Faulty records, or whole bodies, that were set aside. */
  quarantined: number;
}

export type JournalReply =
  | { ready: { nextSeq: bigint; cut: JournalCut | null } }
  | { outcomes: [id: number, outcome: StoreOutcome][]; counters: JournalCounters }
  | { fatal: { code: string; message: string; hint: string } }
  | { closed: true };
