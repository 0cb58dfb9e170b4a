const SLOTS = 4096;
const MAX_POOLED_BYTES = 64;

/**
 * Gives the same string object for the same short bytes, so that attribute keys, which repeat in every
 * record, are neither decoded nor allocated again. Direct-mapped: a collision costs one decode.
 */
export class StringPool {
  readonly #bytes: (Buffer | undefined)[] = new Array(SLOTS);
  readonly #strings: string[] = new Array(SLOTS).fill("");

  get(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return "";
    if (length > MAX_POOLED_BYTES) return bytes.toString("utf8", start, end);
    const slot = slotOf(bytes, start, end);
    const pooled = this.#bytes[slot];
    if (pooled !== undefined && isSame(pooled, bytes, start, length)) {
      return this.#strings[slot] as string;
    }
    const text = bytes.toString("utf8", start, end);
    this.#bytes[slot] = Buffer.from(bytes.subarray(start, end));
    this.#strings[slot] = text;
    return text;
  }
}

function slotOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

function isSame(pooled: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (pooled.length !== length) return false;
  for (let i = 0; i < length; i++) {
    if (pooled[i] !== bytes[start + i]) return false;
  }
  return true;
}
