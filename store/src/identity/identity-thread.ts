import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { IdentityFile } from "./identity-file.js";

/**
 * Writes identity files on a thread of its own, in the order in which they are given: one has 20 MB, and nobody waits
 * for it. Without the newest a start reads more of the journal.
 */
export class IdentityThread {
  readonly #worker: Worker;
  /** Files that are not written yet. */
  #waiting = 0;

  private constructor(worker: Worker, onFailed: (error: Error) => void) {
    this.#worker = worker;
    worker.on("message", () => this.#waiting--);
    worker.on("error", onFailed);
  }

  /**
   * Starts the thread and waits until it runs.
   *
   * @param onFailed called once when a file could not be written; no further one is
   */
  static async open(
    journalDirectory: string,
    onFailed: (error: Error) => void,
  ): Promise<IdentityThread> {
    const url = new URL("./identity-worker.js", import.meta.url);
    const worker = new Worker(url, { workerData: journalDirectory });
    await once(worker, "message");
    return new IdentityThread(worker, onFailed);
  }

  /** Hands a file over; its memory is gone afterwards. One that only saves reading is left out while another is written. */
  write(file: IdentityFile): void {
    if (this.#waiting > 0 && !file.isSynced) return;
    this.#waiting++;
    this.#worker.postMessage(file, [file.bytes.buffer]);
  }

  /** Waits until all are written, and ends the thread. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    this.#worker.postMessage(null);
    await ended;
  }
}
