/** Gives numbers in `[0, 1)` that follow from a seed, so that a failed run can be repeated. */
export function seeded(seed: number): () => number {
  let state = (seed >>> 0) + 0x9e3779b9;
  return () => {
    // splitmix32: neighbouring seeds give unrelated numbers.
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
  };
}

/** The seed of this run: `FAULT_SEED`, else one that differs from run to run. */
export function runSeed(): number {
  return Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000);
}

/** Takes the share of a full figure that this run is asked for: `FAULT_SHARE`, by default all of it. */
export function faultShare(full: number): number {
  return Math.max(1, Math.round(full * Number(process.env.FAULT_SHARE ?? 1)));
}
