import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { IdentityFile, IdentityWriter } from "./identity-file.js";

/** Writes on a thread of its own, in the order in which files are given: one has 20 MB, and nobody waits for it. */
export class IdentityThread implements IdentityWriter {
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

  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  write(file: IdentityFile): void {
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
