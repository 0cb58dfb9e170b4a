import { isDamage } from "./damage.js";

/** DuckDB takes the transaction back and goes on: so does applying, once there is room. */
export function isDiskFull(error: unknown): boolean {
  return isShortage(error, /No space left/i);
}

/** DuckDB's memory is one for all: a statement can find none because of another. */
export function isOutOfMemory(error: unknown): boolean {
  return isShortage(error, /out of memory|could not allocate|failed to (allocate|pin)/i);
}

/** A file that DuckDB gave up for a shortage does not come back when that is over. */
function isShortage(error: unknown, text: RegExp): boolean {
  return !isDamage(error) && text.test((error as Error).message);
}
