import { once } from "node:events";
import { getSystemErrorName } from "node:util";
import { Worker } from "node:worker_threads";
import type { Disk } from "./disk.js";

/** Makes files durable, one sync at a time. */
export interface Syncer {
  /** Starts a sync of what was written to the file so far. */
  start(fd: number): void;
  /** Whether the sync has ended. @throws the error of the sync: nobody knows then what is on disk */
  hasEnded(): boolean;
  /** Waits until it has. @throws as `hasEnded` */
  wait(): void;
  close(): void;
}

/** Syncs at once, on the thread that asks. */
export class InlineSyncer implements Syncer {
  readonly #disk: Disk;
  #failure: unknown = null;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  start(fd: number): void {
    try {
      this.#disk.fdatasyncSync(fd);
    } catch (error) {
      this.#failure = error;
    }
    this.wait();
  }

  hasEnded(): boolean {
    this.wait();
    return true;
  }

  wait(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  close(): void {}
}

/** Where the two threads of a {@link ThreadSyncer} meet; each is written by one of them. */
export const SYNC_CELLS = { requested: 0, fd: 1, ended: 2, errno: 3 } as const;
/** In place of a request: end the thread. */
export const SYNC_CLOSE = -1;

/**
 * Syncs on a thread of its own, so that the thread that asks can go on writing: waiting for the disk took a
 * sixth of its time, and more when the cores were busy. Node's own `fs.fdatasync` would wait behind queries.
 */
export class ThreadSyncer implements Syncer {
  readonly #cells: Int32Array;
  #requested = 0;

  private constructor(cells: Int32Array) {
    this.#cells = cells;
  }

  /**
   * Starts the thread and waits until it runs: its code is loaded through the threads that queries can keep busy.
   *
   * @param onEnded called on the event loop some time after each sync
   */
  static async open(onEnded: () => void): Promise<ThreadSyncer> {
    const cells = new Int32Array(new SharedArrayBuffer(16));
    const url = new URL("./sync-worker.js", import.meta.url);
    const worker = new Worker(url, { workerData: cells });
    await once(worker, "message");
    worker.on("message", onEnded);
    return new ThreadSyncer(cells);
  }

  start(fd: number): void {
    this.#cells[SYNC_CELLS.fd] = fd;
    this.#requested = (this.#requested + 1) & 0x3fff_ffff;
    Atomics.store(this.#cells, SYNC_CELLS.requested, this.#requested);
    Atomics.notify(this.#cells, SYNC_CELLS.requested);
  }

  hasEnded(): boolean {
    if (Atomics.load(this.#cells, SYNC_CELLS.ended) !== this.#requested) return false;
    const errno = Atomics.load(this.#cells, SYNC_CELLS.errno);
    if (errno !== 0) throw new Error(`the sync failed with ${getSystemErrorName(errno)}`);
    return true;
  }

  wait(): void {
    for (;;) {
      const ended = Atomics.load(this.#cells, SYNC_CELLS.ended);
      if (ended === this.#requested) break;
      Atomics.wait(this.#cells, SYNC_CELLS.ended, ended);
    }
    this.hasEnded();
  }

  close(): void {
    Atomics.store(this.#cells, SYNC_CELLS.requested, SYNC_CLOSE);
    Atomics.notify(this.#cells, SYNC_CELLS.requested);
  }
}
