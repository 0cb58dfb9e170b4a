import type { Administration } from "@agent-audit/query";
import type { ServerLog } from "./server-log.js";

const HOUR_MILLIS = 3_600_000;

/** Drops what is old enough, once an hour while the server runs. */
export class Retainer {
  readonly #administration: Administration;
  readonly #log: ServerLog;
  #timer: NodeJS.Timeout | null = null;

  constructor(administration: Administration, log: ServerLog) {
    this.#administration = administration;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#run(), HOUR_MILLIS);
    this.#timer.unref();
    void this.#run();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #run(): Promise<void> {
    try {
      for (const { segment, events } of await this.#administration.runRetention("schedule")) {
        this.#log.info({ segment, events }, `the segment ${segment} was dropped`);
      }
    } catch (error) {
      // Tried again in an hour; what could not be dropped is still there.
      this.#log.error({ error: (error as Error).message }, "old segments were not dropped");
    }
  }
}
