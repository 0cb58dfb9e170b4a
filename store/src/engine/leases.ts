import type { SegmentId } from "../segment-id.js";

/** How long a change of a segment waits for a moment when nobody reads it. */
const PATIENCE_MILLIS = 5_000;
/** How long new readers then wait for the old ones to end; queries take 10 s at most. */
const BARRIER_MILLIS = 2_000;

interface Claim {
  since: number;
  /** Set while new readers wait. */
  barrier: PromiseWithResolvers | null;
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve: () => void;
}

/**
 * Counts who reads which segment: a file that an open result still reads must not be attached again. A claim is for
 * a moment without readers; when none comes by itself, new readers are made to wait, for a short time now and then.
 */
export class Leases {
  readonly #readers = new Map<SegmentId, number>();
  readonly #leases = new Map<number, readonly SegmentId[]>();
  readonly #claims = new Map<SegmentId, Claim>();
  readonly #now: () => number;
  #lastLease = 0;

  /** @param now monotonic clock, ms */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

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
    const claim = this.#claims.get(id) ?? { since: this.#now(), barrier: null };
    this.#claims.set(id, claim);
    if (!this.#readers.has(id)) {
      claim.barrier ??= withResolvers();
      return true;
    }
    const waited = (this.#now() - claim.since) % (PATIENCE_MILLIS + BARRIER_MILLIS);
    if (waited >= PATIENCE_MILLIS) claim.barrier ??= withResolvers();
    else this.#lift(claim);
    return false;
  }

  /** Gives a claimed segment to readers again. */
  free(id: SegmentId): void {
    const claim = this.#claims.get(id);
    if (claim !== undefined) this.#lift(claim);
    this.#claims.delete(id);
  }

  #lift(claim: Claim): void {
    claim.barrier?.resolve();
    claim.barrier = null;
  }

  #barrierOf(ids: readonly SegmentId[]): Promise<void> | null {
    for (const id of ids) {
      const barrier = this.#claims.get(id)?.barrier;
      if (barrier) return barrier.promise;
    }
    return null;
  }
}

/** As `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
