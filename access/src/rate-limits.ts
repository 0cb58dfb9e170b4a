/** Bounds what each key sends: a key may be as far ahead as one second's bytes, and then waits. */
export class RateLimits {
  readonly #buckets = new Map<string, { level: number; at: number }>();
  readonly #now: () => number;

  /** @param now monotonic clock, ms */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Whether a key may send now; a single body may be larger than a second's bytes, and is paid for afterwards. */
  hasRoom(keyId: string, bytesPerSecond: number): boolean {
    return this.#bucket(keyId, bytesPerSecond).level > 0;
  }

  /** Counts what a key has sent. */
  count(keyId: string, bytesPerSecond: number, bytes: number): void {
    this.#bucket(keyId, bytesPerSecond).level -= bytes;
  }

  #bucket(keyId: string, bytesPerSecond: number): { level: number; at: number } {
    const now = this.#now();
    const { level, at } = this.#buckets.get(keyId) ?? { level: bytesPerSecond, at: now };
    const refilled = level + ((now - at) / 1000) * bytesPerSecond;
    const bucket = { level: Math.min(bytesPerSecond, refilled), at: now };
    this.#buckets.set(keyId, bucket);
    return bucket;
  }
}
