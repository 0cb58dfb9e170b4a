import { Worker } from "node:worker_threads";

/** Seals the journal files of older segments, in a thread that lives as long as there is something to do. */
export class Sealer {
  readonly #directory: string;
  readonly #onError: (message: string) => void;
  #worker: Worker | null = null;
  #isAskedAgain = false;
  #isClosed = false;

  /** @param onError told of each file that stays plain; the message names it */
  constructor(journalDirectory: string, onError: (message: string) => void) {
    this.#directory = journalDirectory;
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
    this.#worker = new Worker(url, { workerData: { directory: this.#directory } });
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
