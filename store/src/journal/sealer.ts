import { Worker } from "node:worker_threads";
import type { DiskGuardLimits } from "../disk-guard.js";
import { journalNames } from "./journal-files.js";

/** What the sealing thread is started with. */
export interface SealingWorkerData {
  directory: string;
  diskGuard: DiskGuardLimits;
  /** One Int32: not 0 when the thread shall end. */
  stopBuffer: SharedArrayBuffer;
}

/** Seals the journal files of older segments, in a thread that lives as long as there is something to do. */
export class Sealer {
  readonly #directory: string;
  readonly #diskGuard: DiskGuardLimits;
  readonly #onError: (message: string) => void;
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
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
    // The newest is written to: a thread for nothing would cost each start 0.1 s.
    if (journalNames(this.#directory).filter(({ isSealed }) => !isSealed).length < 2) return;
    const url = new URL("./sealing-worker.js", import.meta.url);
    const workerData: SealingWorkerData = {
      directory: this.#directory,
      diskGuard: this.#diskGuard,
      stopBuffer: this.#stop.buffer,
    };
    this.#worker = new Worker(url, { workerData });
    this.#worker.on("message", this.#onError);
    this.#worker.on("error", (error) => this.#onError(error.message));
    this.#worker.on("exit", () => {
      this.#worker = null;
      if (this.#isAskedAgain) this.seal();
    });
  }

  /**
   * Ends the thread, in the middle of a file if need be: the plain file is removed last. The thread ends by itself: Node
   * 20 aborts the whole process when a thread is terminated just as it begins to compress.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    Atomics.store(this.#stop, 0, 1);
    const worker = this.#worker;
    if (worker !== null) await new Promise((resolve) => worker.once("exit", resolve));
  }
}
