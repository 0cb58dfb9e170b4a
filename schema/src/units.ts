const NANOS_PER_SECOND = 1e9;

/** Converts ns to the seconds of `agent_audit.duration`: exact for 0 to 2^51 ns. */
export function secondsFromNanos(nanos: bigint): number {
  return Number(nanos) / NANOS_PER_SECOND;
}

/** Converts seconds to ns, rounded; `null` for what is no duration: negative, NaN, or beyond int64. */
export function nanosFromSeconds(seconds: number): bigint | null {
  const nanos = Math.round(seconds * NANOS_PER_SECOND);
  return nanos >= 0 && nanos < 2 ** 63 ? BigInt(nanos) : null;
}

/** Converts ns to the milliseconds of the API's `duration_ms`. */
export function millisFromNanos(nanos: bigint | number): number {
  return Number(nanos) / 1e6;
}

/** Converts milliseconds, as JavaScript timers give them, to ns. */
export function nanosFromMillis(millis: number): bigint {
  return BigInt(Math.round(millis * 1e6));
}

/** Converts an amount of money to billionths, rounded half to even; `null` for what no int64 holds. */
export function nanoFromAmount(amount: number): bigint | null {
  const scaled = amount * 1e9;
  if (!(Math.abs(scaled) < 2 ** 63)) return null;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  return BigInt(isUp ? floor + 1 : floor);
}
