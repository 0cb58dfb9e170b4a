import { BadRequestError } from "./query-error.js";

const DAY_MILLIS = 86_400_000;

/** Tells local days in an IANA time zone, daylight saving included. */
export class Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  /** The day that was asked for last, up to the next one's start: a walk asks for it again and again. */
  #day = { start: Number.NaN, end: Number.NaN };

  /** @throws BadRequestError `invalid_tz` */
  constructor(name: string) {
    try {
      this.#format = new Intl.DateTimeFormat("en-US", {
        timeZone: name,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch {
      throw new BadRequestError(
        "invalid_tz",
        `tz=${name.slice(0, 40)} is no time zone`,
        "use an IANA name such as Europe/Berlin",
      );
    }
    this.name = name;
  }

  /** Start of the local day that holds `millis`, or of the next one. */
  dayStart(millis: number, days: 0 | 1 = 0): number {
    if (!(millis >= this.#day.start && millis < this.#day.end)) {
      const day = Math.floor(this.#localOf(millis) / DAY_MILLIS);
      const start = millis === this.#day.end ? millis : this.#instantOf(day);
      this.#day = { start, end: this.#instantOf(day + 1) };
    }
    return days === 0 ? this.#day.start : this.#day.end;
  }

  /** Start of the local week (Monday) that holds `millis`, moved by `weeks` weeks. */
  weekStart(millis: number, weeks = 0): number {
    const day = Math.floor(this.#localOf(millis) / DAY_MILLIS);
    // 1970-01-01 was a Thursday, so Monday is day 4 modulo 7.
    const sinceMonday = (((day - 4) % 7) + 7) % 7;
    return this.#instantOf(day - sinceMonday + weeks * 7);
  }

  /** The local clock's reading as if it were UTC. */
  #localOf(millis: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(millis)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  }

  /** First instant of a local day. A zone may skip midnight: then the day starts where the clock lands. */
  #instantOf(day: number): number {
    const target = day * DAY_MILLIS;
    let instant = target;
    for (let i = 0; i < 3; i++) {
      const error = this.#localOf(instant) - target;
      if (error === 0) break;
      instant -= error;
    }
    // Of two equal midnights, when a clock goes back over one, the first starts the day. By three hours Antarctic stations did.
    for (const back of [3, 2, 1, 0.5].map((hours) => hours * 3_600_000)) {
      if (this.#localOf(instant - back) === target) return instant - back;
    }
    if (this.#localOf(instant) < target) {
      while (this.#localOf(instant) < target) instant += 900_000;
    }
    return instant;
  }
}
