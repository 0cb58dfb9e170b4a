import { encodeQuarantine } from "@agent-audit/store";
import type { Fault } from "./admit.js";

/** Faulty records of one request whose bytes are kept. */
const MAX_KEPT_FAULTS = 100;

/** Bounds what is kept of records that cannot be stored: their senders could fill the disk with them. */
export class QuarantineBudget {
  readonly #maxBytesPerDay: number;
  #day: number;
  #usedBytes: number;

  /**
   * @param maxBytesPerDay bytes of quarantine frames' payloads of one receive day, over restarts
   * @param day days since 1970 UTC
   * @param usedBytes what the day has used before
   */
  constructor(maxBytesPerDay: number, day: number, usedBytes: number) {
    this.#maxBytesPerDay = maxBytesPerDay;
    this.#day = day;
    this.#usedBytes = usedBytes;
  }

  /** What the last day that had any has used. */
  get used(): { day: number; bytes: number } {
    return { day: this.#day, bytes: this.#usedBytes };
  }

  /**
   * Gives the payloads to keep of a request's faults: the first one by one, and of the rest the number, as far as
   * the day's bytes go; beyond them faults are only counted. A body that a fault of ours kept from being read is
   * kept in any case: its sender has done nothing wrong and has no other copy.
   */
  take(faults: readonly Fault[], day: number): Buffer[] {
    if (day !== this.#day) {
      this.#day = day;
      this.#usedBytes = 0;
    }
    const payloads: Buffer[] = [];
    for (const fault of bounded(faults)) {
      const payload = encodeQuarantine(fault);
      const isOver = this.#usedBytes + payload.length > this.#maxBytesPerDay;
      if (isOver && fault.code !== "server_fault") break;
      this.#usedBytes += payload.length;
      payloads.push(payload);
    }
    return payloads;
  }
}

function bounded(faults: readonly Fault[]): Fault[] {
  const first = faults[MAX_KEPT_FAULTS];
  if (first === undefined) return [...faults];
  const rest = faults.length - MAX_KEPT_FAULTS;
  const reason = `${rest} more records of this request were set aside without their bytes; the first: ${first.reason}`;
  return [...faults.slice(0, MAX_KEPT_FAULTS), { ...first, reason, bytes: new Uint8Array() }];
}
