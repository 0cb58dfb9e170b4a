import { BadRequestError } from "./query-error.js";

const RFC3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;
const RELATIVE = /^now(?:-(\d{1,6})([smhdw]))?$/;
const SPAN = /^(\d{1,6})([smhdw])$/;

const MAX_NANOS = 2n ** 64n - 1n;

const NANOS = {
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
} as const;

/** Reads RFC 3339, `now` or `now-15m` as ns since 1970 UTC. @throws BadRequestError `invalid_<name>` */
export function parseTime(name: string, text: string, now: bigint): bigint {
  const relative = RELATIVE.exec(text);
  if (relative !== null) {
    const [, count = "0", unit = "s"] = relative;
    return clamped(now - BigInt(count) * NANOS[unit as keyof typeof NANOS]);
  }
  const absolute = RFC3339.exec(text);
  const millis = absolute === null ? Number.NaN : millisOf(absolute);
  if (absolute === null || Number.isNaN(millis)) {
    throw new BadRequestError(
      `invalid_${name}`,
      `${name}=${text.slice(0, 60)} is no time`,
      "write RFC 3339 such as 2026-11-23T06:13:26Z, or now-15m",
    );
  }
  return clamped(BigInt(millis) * 1_000_000n + BigInt((absolute[3] ?? "").padEnd(9, "0")));
}

/** Times before 1970 and after 2554 are no event's: they mean an open end. */
function clamped(nanos: bigint): bigint {
  if (nanos < 0n) return 0n;
  return nanos > MAX_NANOS ? MAX_NANOS : nanos;
}

/** NaN for a day that its month does not have, which `Date` would move to the next. */
function millisOf([, day = "", clock = "", , zone = ""]: RegExpExecArray): number {
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day))
    return Number.NaN;
  return Date.parse(`${day}T${clock}${zone.toUpperCase()}`);
}

/** Reads a span such as `15m`, `24h` or `7d` as ns. @throws BadRequestError `invalid_<name>` */
export function parseSpan(name: string, text: string): bigint {
  const match = SPAN.exec(text);
  if (match === null || Number(match[1]) === 0) {
    throw new BadRequestError(
      `invalid_${name}`,
      `${name}=${text} is no span`,
      "write 15m, 24h or 7d",
    );
  }
  return BigInt(match[1] as string) * NANOS[match[2] as keyof typeof NANOS];
}

/** Writes ns since 1970 UTC as RFC 3339 with as many fractional digits as it takes, up to 9. */
export function formatTime(nanos: bigint): string {
  const seconds = nanos / 1_000_000_000n;
  const fraction = String(nanos % 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === "" ? "" : `.${fraction}`}Z`;
}
