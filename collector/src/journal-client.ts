import { Worker } from "node:worker_threads";
import { AuditError } from "@agent-audit/schema";
import type {
  DiskGuardLimits,
  JournalCut,
  SegmentLimits,
  Store,
  StreamTotals,
} from "@agent-audit/store";
import type { ReceivedBody } from "./admit.js";
import { type IngestCounters, zeroCounters } from "./ingest-counters.js";
import type { JournalReply, JournalWorkerData, StoreOutcome } from "./journal-messages.js";
import type { ServerEvent } from "./server-event.js";

export interface JournalClientOptions {
  store: Store;
  diskGuard: DiskGuardLimits;
  /** Bytes of set-aside records that are kept of one receive day. */
  maxQuarantineBytesPerDay: number;
  /** See `IngestOptions`. */
  deduplicatesUnidentified?: boolean | undefined;
  segmentLimits?: SegmentLimits | undefined;
  /** Told when the disk gets too full to store more, and when it has room again. */
  onRoom?: (hasRoom: boolean) => void;
  /** Called once when the journal cannot go on; the process must end with 75 and recover at its next start. */
  onFatal: (error: Error) => void;
}

/** Speaks to the thread that writes the journal. */
export class JournalClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, (outcome: StoreOutcome) => void>();
  readonly #onFatal: (error: Error) => void;
  readonly #onRoom: (hasRoom: boolean) => void;
  #hasRoom = true;
  #lastId = 0;
  #counters = zeroCounters();
  #streams: StreamTotals = { streams: 0, gaps: 0, missing: 0 };
  #isEnded = false;
  #onReady: (cut: JournalCut | null) => void = () => {};
  #onBegun: () => void = () => {};
  #error: Error | null = null;
  /** Takes an error of the start; `null` once the journal is written. */
  #onFailedStart: ((error: Error) => void) | null = null;
  #onClosed: () => void = () => {};
  #closing: Promise<void> | null = null;

  private constructor(options: JournalClientOptions) {
    const { store, diskGuard, maxQuarantineBytesPerDay, segmentLimits, deduplicatesUnidentified } =
      options;
    this.#onFatal = options.onFatal;
    this.#onRoom = options.onRoom ?? (() => {});
    const workerData: JournalWorkerData = {
      directory: store.directory.journal,
      storeId: store.storeId,
      formerStoreIds: store.formerStoreIds,
      positionBuffer: store.position.buffer,
      diskGuard,
      maxQuarantineBytesPerDay,
      deduplicatesUnidentified,
      segmentLimits,
    };
    this.#worker = new Worker(new URL("./journal-worker.js", import.meta.url), { workerData });
    this.#worker.on("message", (reply: JournalReply) => this.#receive(reply));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("the journal's thread ended")));
  }

  /**
   * Recovers the journal; {@link begin} opens it for writing.
   *
   * @returns the client and what recovery cut off
   * @throws AuditError `journal_corrupt`, `journal_foreign`, `journal_version`, `journal_failed`
   */
  static async open(
    options: JournalClientOptions,
  ): Promise<{ journal: JournalClient; cut: JournalCut | null }> {
    const journal = new JournalClient(options);
    const cut = await new Promise<JournalCut | null>((resolve, reject) => {
      journal.#onReady = resolve;
      journal.#onFailedStart = reject;
    });
    return { journal, cut };
  }

  /**
   * Opens the recovered journal for writing, once it is known to be the right one.
   *
   * @throws AuditError `journal_failed`
   */
  async begin(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (this.#error !== null) return reject(this.#error);
      this.#onBegun = resolve;
      this.#onFailedStart = reject;
      this.#worker.postMessage({ begin: true });
    });
    this.#onFailedStart = null;
  }

  /** Counts since the start. */
  get counters(): Readonly<IngestCounters> {
    return this.#counters;
  }

  /** What is missing of the emitters' streams, in all that was ever stored. */
  get streams(): Readonly<StreamTotals> {
    return this.#streams;
  }

  /** Stores a body; resolves when it is on disk or refused. The blocks' memory is gone afterwards. */
  async store(received: ReceivedBody): Promise<StoreOutcome> {
    if (this.#isEnded) return { status: "failed" };
    const id = ++this.#lastId;
    return await new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.#worker.postMessage(
        { id, ...received },
        received.blocks.map(({ buffer }) => buffer as ArrayBuffer),
      );
    });
  }

  /**
   * Stores an event of the server's own; resolves when it is on disk.
   *
   * @throws AuditError `event_not_recorded`
   */
  async record(event: ServerEvent): Promise<void> {
    const id = ++this.#lastId;
    const outcome = await new Promise<StoreOutcome>((resolve) => {
      if (this.#isEnded) return resolve({ status: "failed" });
      this.#pending.set(id, resolve);
      this.#worker.postMessage({ id, event });
    });
    if (outcome.status === "stored") return;
    throw new AuditError(
      "event_not_recorded",
      `the event ${event.eventName} was not written down: ${outcome.status}`,
      "see the server's log; try again when the disk has room",
    );
  }

  /** Finishes what was handed over, syncs and closes the file. */
  async close(): Promise<void> {
    if (this.#isEnded) return;
    this.#closing ??= new Promise<void>((resolve) => {
      this.#onClosed = resolve;
      this.#worker.postMessage({ close: true });
    });
    await this.#closing;
  }

  #receive(reply: JournalReply): void {
    if ("outcomes" in reply) {
      this.#counters = reply.counters;
      this.#streams = reply.streams;
      for (const [id, outcome] of reply.outcomes) this.#settle(id, outcome);
      if (reply.hasRoom !== this.#hasRoom) {
        this.#hasRoom = reply.hasRoom;
        this.#onRoom(reply.hasRoom);
      }
    } else if ("ready" in reply) {
      this.#streams = reply.ready.streams;
      this.#onReady(reply.ready.cut);
    } else if ("begun" in reply) {
      this.#onBegun();
    } else if ("closed" in reply) {
      this.#end();
    } else {
      const { code, message, hint } = reply.fatal;
      this.#fail(new AuditError(code, message, hint));
    }
  }

  #settle(id: number, outcome: StoreOutcome): void {
    this.#pending.get(id)?.(outcome);
    this.#pending.delete(id);
  }

  /** What the thread was sent and did not answer any more is not stored. */
  #end(): void {
    this.#isEnded = true;
    for (const id of [...this.#pending.keys()]) this.#settle(id, { status: "failed" });
    this.#onClosed();
  }

  #fail(error: Error): void {
    if (this.#isEnded) return;
    this.#error = error;
    this.#end();
    (this.#onFailedStart ?? this.#onFatal)(error);
  }
}
