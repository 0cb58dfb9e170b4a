import { Worker } from "node:worker_threads";
import type { DiskGuardLimits } from "../disk-guard.js";

/** What the sealing thread is started with. */
export interface SealingWorkerData {
  directory: string;
  diskGuard: DiskGuardLimits;
}

/** Seals the journal files of older segments, in a thread that lives as long as there is something to do. */
export class Sealer {
  readonly #directory: string;
  readonly #diskGuard: DiskGuardLimits;
  readonly #onError: (message: string) => void;
  #worker: Worker | null = null;
  #isAskedAgain = false;
  #isClosed = false;

  /**
   * @param diskGuard what must stay free of the disk beside a sealed file
   * @param onError told of each file that stays plain; the message names it
   */
  constructor(
    journalDirectory: string,
    diskGuard: DiskGuardLimits,
    onError: (message: string) => void,
  ) {
    this.#directory = journalDirectory;
    this.#diskGuard = diskGuard;
    this.#onError = onError;
  }

  /** Seals what can be sealed now; call whenever a segment has ended. */
  seal(): void {
    if (this.#isClosed) return;
    if (this.#worker !== null) {
      this.#isAskedAgain = true;
      return;
    }
    this.#isAskedAgain = false;
    const url = new URL("./sealing-worker.js", import.meta.url);
    const workerData: SealingWorkerData = {
      directory: this.#directory,
      diskGuard: this.#diskGuard,
    };
    this.#worker = new Worker(url, { workerData });
    this.#worker.on("message", this.#onError);
    this.#worker.on("error", (error) => this.#onError(error.message));
    this.#worker.on("exit", () => {
      this.#worker = null;
      if (this.#isAskedAgain) this.seal();
    });
  }

  /** Ends the thread, in the middle of a file if need be: the plain file is removed last. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }
}
