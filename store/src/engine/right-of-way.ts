import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { SharedPosition } from "../shared-position.js";

/** How long the load is measured. */
const WINDOW_MILLIS = 200;
/** Share of its time that the journal's thread must be busy for applying to hold back. */
const BUSY_SHARE = 0.7;
/** How much longer applying then rests than it worked: it goes on at a third of its speed, never at none. */
const REST_FACTOR = 2;
/** How long a piece of work takes: an answer takes a dozen turns of this thread. In pieces of 25 no more is applied. */
const PIECE_MILLIS = 1;
/** A commit that had to wait for a core is no reason to rest for ever. */
const MAX_REST_MILLIS = 5000;
/** A query that runs longer is one that its client waits for: applying rests until it ends. */
const SLOW_QUERY_MILLIS = 20;
/** How long at most at once, and never longer than it worked before: it goes on at half of its speed. */
const MAX_OWED_MILLIS = 100;
const LOOK_MILLIS = 2;

/**
 * Gives ingest and slow queries the right of way: while the journal's thread is busy nearly all the time, or a query takes
 * long, applying works in short pieces with rests between, and catches up afterwards. Low priority alone is not enough: a
 * thread that runs also takes cache and memory bandwidth.
 */
export class RightOfWay {
  readonly #position: SharedPosition;
  readonly #queryMillis: () => number;
  readonly #closing = new AbortController();
  #windowBegin = performance.now();
  #busyAtBegin = 0n;
  #isBusy = false;
  #workBegin = performance.now();
  /** What applying has worked and not rested for queries. */
  #owedMillis = 0;

  /** @param queryMillis says how long the query that has run longest has run; 0 for none */
  constructor(position: SharedPosition, queryMillis: () => number) {
    this.#position = position;
    this.#queryMillis = queryMillis;
  }

  /** Marks the beginning of a piece of work. */
  begin(): void {
    this.#workBegin = performance.now();
  }

  /** Lets others run once a piece of work has become long; ask again and again. */
  async pauseWhenDue(): Promise<void> {
    if (performance.now() - this.#workBegin >= PIECE_MILLIS) await this.pause();
  }

  /** Lets others run. The next piece of work begins when it returns. */
  async pause(): Promise<void> {
    this.#measure();
    const workedMillis = performance.now() - this.#workBegin;
    this.#owedMillis = Math.min(this.#owedMillis + workedMillis, MAX_OWED_MILLIS);
    if (this.#isBusy) await this.#rest(Math.min(workedMillis * REST_FACTOR, MAX_REST_MILLIS));
    else await this.#restForQueries();
    this.begin();
  }

  /** Lets others run for so long. The next piece of work begins when it returns. */
  async wait(millis: number): Promise<void> {
    await this.#rest(millis);
    this.begin();
  }

  /** Ends the rest that is going on, and all later ones at once: for a stop. */
  close(): void {
    this.#closing.abort();
  }

  /** Whether work is to end soon. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #restForQueries(): Promise<void> {
    await turn();
    while (this.#owedMillis > 0 && this.#queryMillis() > SLOW_QUERY_MILLIS && !this.isClosed) {
      const begin = performance.now();
      await this.#rest(LOOK_MILLIS);
      this.#owedMillis -= performance.now() - begin;
    }
  }

  async #rest(millis: number): Promise<void> {
    await sleep(millis, undefined, { signal: this.#closing.signal }).catch(() => {
      // Only a stop cuts a rest short.
    });
  }

  #measure(): void {
    const now = performance.now();
    const elapsed = now - this.#windowBegin;
    if (elapsed < WINDOW_MILLIS) return;
    const busyMicros = this.#position.ingestBusyMicros;
    this.#isBusy = Number(busyMicros - this.#busyAtBegin) / 1000 / elapsed > BUSY_SHARE;
    this.#windowBegin = now;
    this.#busyAtBegin = busyMicros;
  }
}
