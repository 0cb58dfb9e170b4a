import type { SegmentId } from "../segment-id.js";

/** How long a change of a segment waits for a moment when nobody reads it. */
const PATIENCE_MILLIS = 5_000;
/** How long new readers then wait for the old ones to end; twice as long each next time. */
const FIRST_BARRIER_MILLIS = 2_000;
const MAX_DOUBLINGS = 5;

interface Claim {
  since: number;
  /** How often a barrier did not suffice. */
  failures: number;
  /** Set while new readers wait. */
  barrier: PromiseWithResolvers | null;
  /** Lifts a barrier that was in vain; the one who claims may be busy then. */
  timer: NodeJS.Timeout | null;
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve: () => void;
}

/**
 * Counts who reads which segment: a file that an open result still reads must not be attached again. A claim is for
 * a moment without readers; when none comes by itself, new readers are made to wait, for a bounded time now and then.
 */
export class Leases {
  readonly #readers = new Map<SegmentId, number>();
  readonly #leases = new Map<number, readonly SegmentId[]>();
  readonly #claims = new Map<SegmentId, Claim>();
  #lastLease = 0;

  /**
   * Takes a lease, once nothing that it needs is being changed.
   *
   * @param choose names the segments; asked again after a wait
   */
  async take(choose: () => readonly SegmentId[]): Promise<number> {
    let ids = choose();
    for (let barrier = this.#barrierOf(ids); barrier !== null; barrier = this.#barrierOf(ids)) {
      await barrier;
      ids = choose();
    }
    for (const id of ids) this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
    this.#leases.set(++this.#lastLease, ids);
    return this.#lastLease;
  }

  release(lease: number): void {
    for (const id of this.#leases.get(lease) ?? []) {
      const readers = (this.#readers.get(id) as number) - 1;
      if (readers > 0) this.#readers.set(id, readers);
      else this.#readers.delete(id);
    }
    this.#leases.delete(lease);
  }

  /** Asks for a segment without readers; ask again and again. `true` holds until {@link free}. */
  claim(id: SegmentId): boolean {
    const now = performance.now();
    const claim = this.#claims.get(id) ?? { since: now, failures: 0, barrier: null, timer: null };
    this.#claims.set(id, claim);
    const isGranted = !this.#readers.has(id);
    if (isGranted) {
      clearTimer(claim);
      claim.barrier ??= withResolvers();
    } else if (claim.barrier === null && now - claim.since >= PATIENCE_MILLIS) {
      claim.barrier = withResolvers();
      const millis = FIRST_BARRIER_MILLIS * 2 ** Math.min(claim.failures, MAX_DOUBLINGS);
      claim.timer = setTimeout(() => this.#giveUp(claim), millis);
      claim.timer.unref();
    }
    return isGranted;
  }

  /** Gives a claimed segment to readers again. */
  free(id: SegmentId): void {
    const claim = this.#claims.get(id);
    if (claim === undefined) return;
    clearTimer(claim);
    claim.barrier?.resolve();
    this.#claims.delete(id);
  }

  /** Lets the waiting readers in, and waits patiently again. */
  #giveUp(claim: Claim): void {
    claim.barrier?.resolve();
    claim.barrier = null;
    claim.timer = null;
    claim.failures++;
    claim.since = performance.now();
  }

  #barrierOf(ids: readonly SegmentId[]): Promise<void> | null {
    for (const id of ids) {
      const barrier = this.#claims.get(id)?.barrier;
      if (barrier) return barrier.promise;
    }
    return null;
  }
}

function clearTimer(claim: Claim): void {
  if (claim.timer !== null) clearTimeout(claim.timer);
  claim.timer = null;
}

/** As `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
