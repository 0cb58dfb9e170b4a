import { BadRequestError } from "./query-error.js";
import type { Zone } from "./zone.js";

const MINUTE_MILLIS = 60_000;
const DAY_MILLIS = 86_400_000;

/** Says how a series is cut. */
export interface Interval {
  text: string;
  unit: "day" | "week" | "fixed";
  /** Length of a `fixed` bucket. */
  millis: number;
}

/** Reads `hour`, `day`, `week`, `<n>m` or `<n>h`. @throws BadRequestError `invalid_interval` */
export function parseInterval(text: string): Interval {
  if (text === "day" || text === "week") {
    return { text, unit: text, millis: 0 };
  }
  const match = text === "hour" ? ["1h", "1", "h"] : /^(\d{1,5})([mh])$/.exec(text);
  const minutes = Number(match?.[1]) * (match?.[2] === "h" ? 60 : 1);
  if (match === null || minutes < 1) {
    throw new BadRequestError(
      "invalid_interval",
      `interval=${text.slice(0, 40)} is no interval`,
      "use hour, day, week, or a number of minutes or hours such as 15m or 6h",
    );
  }
  return { text, unit: "fixed", millis: minutes * MINUTE_MILLIS };
}

/**
 * Gives the start of the bucket that holds `millis`. Fixed buckets that divide a day count from the zone's
 * midnight, all others from the epoch; the last of a day that daylight saving shortens is shorter.
 */
export function bucketStart(millis: number, interval: Interval, zone: Zone): number {
  if (interval.unit === "day") return zone.dayStart(millis);
  if (interval.unit === "week") return zone.weekStart(millis);
  if (DAY_MILLIS % interval.millis !== 0) {
    return Math.floor(millis / interval.millis) * interval.millis;
  }
  const midnight = zone.dayStart(millis);
  return midnight + Math.floor((millis - midnight) / interval.millis) * interval.millis;
}

/** No bucket is longer, ms, whatever the zone's clock does. */
export function longestMillis({ unit, millis }: Interval): number {
  if (unit === "fixed") return millis;
  return (unit === "day" ? 2 : 9) * DAY_MILLIS;
}

/** Gives the start of the bucket after the one that starts at `start`. */
export function nextBucket(start: number, interval: Interval, zone: Zone): number {
  if (interval.unit === "day") return zone.dayStart(start, 1);
  if (interval.unit === "week") return zone.weekStart(start, 1);
  const next = start + interval.millis;
  if (DAY_MILLIS % interval.millis !== 0) return next;
  return Math.min(next, zone.dayStart(start, 1));
}
