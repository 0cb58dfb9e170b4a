import type { ReceivedBody } from "./admit.js";
import type { Ingest } from "./ingest.js";
import type { StoreOutcome } from "./journal-messages.js";
import type { ServerEvent } from "./server-event.js";

/** What became of one body, by the number that its sender gave it. */
export type Settled = [id: number, outcome: StoreOutcome];

/**
 * Lets bodies share syncs: what arrives while one runs is written meanwhile and shares the next. An outcome is
 * told when the body, and everything that it repeats, is on disk.
 */
export class GroupCommit {
  readonly #ingest: Ingest;
  readonly #settle: (outcomes: Settled[]) => void;
  /** Covered by the sync that runs. */
  #syncing: Settled[] = [];
  /** Written since it began. */
  #waiting: Settled[] = [];

  /** @param settle told of the bodies that one sync has made durable */
  constructor(ingest: Ingest, settle: (outcomes: Settled[]) => void) {
    this.#ingest = ingest;
    this.#settle = settle;
  }

  /** Writes a body; {@link sync} makes it durable. Settles what a sync that has ended meanwhile covers. */
  store(id: number, body: ReceivedBody): void {
    this.#waiting.push([id, this.#ingest.store(body)]);
    if (this.#syncing.length > 0) this.sync();
  }

  /** Writes an event of the server's own, as a body. */
  record(id: number, event: ServerEvent): void {
    this.#waiting.push([id, this.#ingest.record(event)]);
    if (this.#syncing.length > 0) this.sync();
  }

  /** Settles what is on disk, and starts the next sync for what waits; call when bodies pause and when a sync has ended. */
  sync(): void {
    if (this.#ingest.isSyncing()) return;
    this.#tell(this.#syncing);
    this.#syncing = this.#waiting;
    this.#waiting = [];
    if (this.#syncing.length === 0) return;
    this.#ingest.startSync();
    if (this.#ingest.isSyncing()) return;
    // It ended at once, or there was nothing to write.
    this.#tell(this.#syncing);
    this.#syncing = [];
  }

  /** Makes everything durable, tells of it and closes the journal. */
  close(): void {
    this.#ingest.close();
    this.#tell([...this.#syncing, ...this.#waiting]);
    this.#syncing = [];
    this.#waiting = [];
  }

  #tell(outcomes: Settled[]): void {
    if (outcomes.length > 0) this.#settle(outcomes);
  }
}
