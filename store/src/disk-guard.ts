import fs from "node:fs";

/** How much of a disk must stay free: the larger of the two counts. */
export interface DiskGuardLimits {
  minFreeBytes: number;
  /** 0 to 100 */
  minFreePercent: number;
}

/** Gives a share of limits, for those who may go on when others must stop. */
export function shareOf(limits: DiskGuardLimits, share: number): DiskGuardLimits {
  return {
    minFreeBytes: limits.minFreeBytes * share,
    minFreePercent: limits.minFreePercent * share,
  };
}

/**
 * Keeps ingest from filling the disk: a write that fails for lack of room ends the server, and a full disk takes
 * the machine's other services along. Asks the file system each time, which costs microseconds.
 */
export class DiskGuard {
  readonly #directory: string;
  readonly #limits: DiskGuardLimits;

  /** @param directory any place on the file system to be guarded */
  constructor(directory: string, limits: DiskGuardLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** Whether `bytes` more can be written and leave free what must stay free. */
  hasRoom(bytes: number): boolean {
    const { bavail, blocks, bsize } = fs.statfsSync(this.#directory);
    const { minFreeBytes, minFreePercent } = this.#limits;
    const minFree = Math.max(minFreeBytes, (blocks * bsize * minFreePercent) / 100);
    return bavail * bsize - bytes >= minFree;
  }
}
