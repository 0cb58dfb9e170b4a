import { isDamage } from "./damage.js";

/** DuckDB takes the transaction back and goes on: so does applying, once there is room. */
export function isDiskFull(error: unknown): boolean {
  return /No space left/i.test((error as Error).message);
}

/** DuckDB's memory is one for all: a statement can find none because of another. */
export function isOutOfMemory(error: unknown): boolean {
  // What it gave up for lack of memory does not come back with the memory.
  if (isDamage(error)) return false;
  return /out of memory|could not allocate|failed to (allocate|pin)/i.test(
    (error as Error).message,
  );
}
