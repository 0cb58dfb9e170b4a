import type { InFlightBudget } from "./in-flight-budget.js";

const FIRST_BLOCK_BYTES = 64 * 1024;
const MAX_BLOCK_BYTES = 1024 * 1024;

/**
 * Gathers the chunks of a body in blocks of its own, whose memory can move to another thread. Each chunk is
 * copied when it comes: joining a large body at its end would stop all other connections meanwhile. Blocks are
 * taken from the budget as bytes arrive, each twice the one before: who only announces a body holds nothing.
 */
export class BodyBlocks {
  readonly #budget: InFlightBudget;
  /** Bytes that are still to come; 0 when unknown, as of most exporters' bodies. */
  #announcedBytes: number;
  readonly #blocks: Uint8Array<ArrayBuffer>[] = [];
  #current: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;
  /** Bytes of the budget that the blocks hold. */
  heldBytes = 0;

  /** @param announcedBytes 0 when unknown */
  constructor(budget: InFlightBudget, announcedBytes: number) {
    this.#budget = budget;
    this.#announcedBytes = announcedBytes;
  }

  /** Takes a chunk; `false` when there is no room for it. */
  append(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.#used === this.#current.length) {
        if (!this.#startBlock()) return false;
      }
      const part = chunk.subarray(at, at + this.#current.length - this.#used);
      this.#current.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
    }
    return true;
  }

  /** Gives the body in order; nothing may be appended afterwards. */
  finish(): Uint8Array<ArrayBuffer>[] {
    this.#blocks.push(this.#current.subarray(0, this.#used));
    return this.#blocks;
  }

  #startBlock(): boolean {
    const doubled = Math.max(FIRST_BLOCK_BYTES, this.#used * 2);
    const bytes = Math.min(doubled, MAX_BLOCK_BYTES, this.#announcedBytes || MAX_BLOCK_BYTES);
    if (!this.#budget.reserve(bytes)) return false;
    this.#announcedBytes = Math.max(0, this.#announcedBytes - bytes);
    this.heldBytes += bytes;
    if (this.#used > 0) this.#blocks.push(this.#current);
    this.#current = new Uint8Array(bytes);
    this.#used = 0;
    return true;
  }
}

/** Makes one piece of a body's blocks: without copying where there is one. */
export function joinBlocks(blocks: readonly Uint8Array[]): Uint8Array {
  return blocks.length === 1 ? (blocks[0] as Uint8Array) : Buffer.concat(blocks);
}
