import { type Disk, quarantinedBytes } from "@agent-audit/store";
import type { Fault } from "./admit.js";

/** Faulty records of one request whose bytes are kept. */
const MAX_KEPT_FAULTS = 100;

/** Bounds what is kept of records that cannot be stored: their senders could fill the disk with them. */
export class QuarantineBudget {
  readonly #maxBytesPerDay: number;
  #segmentDay: number;
  #usedBytes: number;

  /** @param maxBytesPerDay bytes of set-aside records kept of one segment, over restarts */
  constructor(directory: string, segmentDay: number, maxBytesPerDay: number, disk?: Disk) {
    this.#maxBytesPerDay = maxBytesPerDay;
    this.#segmentDay = segmentDay;
    this.#usedBytes = quarantinedBytes(directory, segmentDay, disk);
  }

  /** Gives what to keep of a request's faults: the first one by one, and of the rest the number. */
  take(faults: readonly Fault[], segmentDay: number): Fault[] {
    if (segmentDay !== this.#segmentDay) {
      this.#segmentDay = segmentDay;
      this.#usedBytes = 0;
    }
    const kept: Fault[] = [];
    for (const fault of faults.slice(0, MAX_KEPT_FAULTS)) {
      const bytes = fault.reason.length + fault.bytes.length;
      if (this.#usedBytes + bytes > this.#maxBytesPerDay) break;
      this.#usedBytes += bytes;
      kept.push(fault);
    }
    const rest = faults.length - kept.length;
    if (rest > 0) kept.push(withoutBytes(rest, faults[kept.length] as Fault));
    return kept;
  }
}

function withoutBytes(count: number, { code, reason }: Fault): Fault {
  const told = `${count} more records of this request were set aside without their bytes; the first: ${reason}`;
  return { code, reason: told, bytes: new Uint8Array() };
}
