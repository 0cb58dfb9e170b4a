import { BadRequestError } from "./query-error.js";

const RFC3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;
const RELATIVE = /^now(?:-(\d{1,6})([smhdw]))?$/;
const SPAN = /^(\d{1,6})([smhdw])$/;

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
    return now - BigInt(count) * NANOS[unit as keyof typeof NANOS];
  }
  const absolute = RFC3339.exec(text);
  const millis =
    absolute === null
      ? Number.NaN
      : Date.parse(`${absolute[1]}T${absolute[2]}${absolute[4]}`.toUpperCase());
  if (absolute === null || Number.isNaN(millis) || millis < 0) {
    throw new BadRequestError(
      `invalid_${name}`,
      `${name}=${text} is no time`,
      "write RFC 3339 such as 2026-11-23T06:13:26Z, or now-15m",
    );
  }
  return BigInt(millis) * 1_000_000n + BigInt((absolute[3] ?? "").padEnd(9, "0"));
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
