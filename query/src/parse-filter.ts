import { nearestName, PHASES } from "@agent-audit/schema";
import type { ReadScope } from "@agent-audit/store";
import { FIELDS } from "./fields.js";
import { BadRequestError } from "./query-error.js";
import type { Condition, Filter, Match } from "./request.js";
import { parseSpan, parseTime } from "./time.js";

const ATTRIBUTE = "attr.";
const NOT = "not_";
/** Longest value of a filter, in characters; ids have at most 512 bytes. */
const MAX_VALUE_LENGTH = 4096;

const OTHER_PARAMETERS = [
  "from",
  "to",
  "last",
  "q",
  "system",
  "phase",
  "unfinished",
  "min_seq",
] as const;

/** How finely the clock tells now. */
const CLOCK_NANOS = 1_000_000n;

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/** Holds a request's parameters and hands each one out once, so that those left over are unknown. */
export class Parameters {
  readonly #values = new Map<string, string[]>();

  #takesFilters = false;

  /** Whether a cursor was given. */
  readonly isWalk: boolean;

  /** @param scope what the caller may see */
  constructor(
    search: URLSearchParams,
    readonly scope: ReadScope,
  ) {
    this.isWalk = search.has("cursor");
    for (const [name, value] of search) {
      if (value.length > MAX_VALUE_LENGTH) {
        throw new BadRequestError(
          `invalid_${name.slice(0, 40)}`,
          `${name.slice(0, 40)} has more than ${MAX_VALUE_LENGTH} characters`,
          "shorten the value",
        );
      }
      this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
    }
  }

  /** Takes every value of a parameter. */
  all(name: string): string[] {
    const values = this.#values.get(name) ?? [];
    this.#values.delete(name);
    return values;
  }

  /** Takes the one value of a parameter. @throws BadRequestError when it is given twice */
  one(name: string): string | null {
    const values = this.all(name);
    if (values.length > 1) {
      throw new BadRequestError(
        `invalid_${name}`,
        `${name} is given ${values.length} times`,
        "give it once",
      );
    }
    return values[0] ?? null;
  }

  /** Takes a whole number within limits. */
  integer(name: string, min: number, max: number, fallback: number): number {
    const text = this.one(name);
    if (text === null) return fallback;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new BadRequestError(
        `invalid_${name}`,
        `${name}=${text.slice(0, 40)} is no whole number from ${min} to ${max}`,
        `use ${name}=${Math.min(max, Math.max(min, fallback))}`,
      );
    }
    return value;
  }

  /** Takes one of a list. */
  choice<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const text = this.one(name);
    if (text === null) return fallback;
    if (!(allowed as readonly string[]).includes(text)) {
      throw new BadRequestError(
        `invalid_${name}`,
        `${name}=${text.slice(0, 40)} is not known`,
        `use one of ${allowed.filter((name) => name !== "").join(", ")}`,
      );
    }
    return text as T;
  }

  /** Names that have not been taken, for those that are filters. */
  filterNames(): string[] {
    this.#takesFilters = true;
    return this.names();
  }

  /** Names that have not been taken. */
  names(): string[] {
    return [...this.#values.keys()];
  }

  /** @throws BadRequestError `unknown_parameter` when something is left over */
  end(known: readonly string[]): void {
    const [name] = this.names();
    if (name === undefined) return;
    const isNegated = this.#takesFilters && name.startsWith(NOT);
    const filters = this.#takesFilters ? Object.keys(FIELDS) : [];
    const others = this.#takesFilters ? OTHER_PARAMETERS : [];
    const stem = isNegated ? name.slice(NOT.length) : name;
    const nearest = nearestName(stem, isNegated ? filters : [...known, ...others, ...filters]);
    const prefix = isNegated ? NOT : "";
    throw new BadRequestError(
      "unknown_parameter",
      `unknown parameter ${name.slice(0, 60)}`,
      nearest === null ? "see the query API's documentation" : `did you mean ${prefix}${nearest}?`,
    );
  }
}

/**
 * Reads the filter that all endpoints share.
 *
 * @param now ns since 1970 UTC, for relative times
 * @throws BadRequestError `invalid_<parameter>`
 */
export function parseFilter(parameters: Parameters, now: bigint): Filter {
  const range = parseRange(parameters, now);
  const conditions = parseConditions(parameters);
  const phases = parsePhases(parameters);
  const isUnfinished = parameters.choice("unfinished", ["true", "false"], "false") === "true";
  if (isUnfinished && phases?.includes("start") === false) {
    throw new BadRequestError("invalid_unfinished", "an end is not unfinished", "leave phase out");
  }
  const q = parameters.one("q");
  if (q === "") throw new BadRequestError("invalid_q", "q is empty", "leave it out");
  const asksForSystem = conditions.some(
    ({ field, isNegated, matches }) =>
      field === "source" &&
      !isNegated &&
      matches.some((match) => match.kind === "equals" && match.value === "system"),
  );
  const system = parameters.choice("system", ["true", "false"], "false");
  return {
    ...range,
    scope: parameters.scope,
    conditions,
    q,
    includesSystem: asksForSystem || system === "true",
    phases: isUnfinished ? ["start"] : phases,
    isUnfinished,
  };
}

function parsePhases(parameters: Parameters): Filter["phases"] {
  const phases = parameters.all("phase").map((text) => {
    if (text === "") return null;
    const phase = PHASES.find((phase) => phase === text);
    if (phase !== undefined) return phase;
    throw new BadRequestError(
      "invalid_phase",
      `phase=${text.slice(0, 40)} does not exist`,
      "use start or end, or nothing for events without a phase",
    );
  });
  return phases.length === 0 ? null : phases;
}

function parseRange(parameters: Parameters, now: bigint): Pick<Filter, "fromNano" | "toNano"> {
  const from = parameters.one("from");
  const to = parameters.one("to");
  const last = parameters.one("last");
  if (last !== null && from !== null) {
    throw new BadRequestError("invalid_last", "last and from exclude each other", "leave one out");
  }
  const until = to === null ? null : parseTime("to", to, now);
  const lastNano = last === null ? null : (until ?? now) - parseSpan("last", last);
  // What is of the millisecond that it is now has happened.
  const toNano = until ?? (last === null ? null : now + CLOCK_NANOS);
  const fromNano = from === null ? lastNano : parseTime("from", from, now);
  // A page of a walk keeps the first page's range, whatever its own relative times come to by now.
  const isOrdered = fromNano === null || toNano === null || fromNano <= toNano;
  if (!isOrdered && !parameters.isWalk) {
    throw new BadRequestError("invalid_from", "from lies after to", "exchange them");
  }
  return { fromNano: fromNano !== null && fromNano < 0n ? 0n : fromNano, toNano };
}

function parseConditions(parameters: Parameters): Condition[] {
  const conditions: Condition[] = [];
  for (const name of parameters.filterNames()) {
    const isNegated = name.startsWith(NOT);
    const field = isNegated ? name.slice(NOT.length) : name;
    const isAttribute = field.startsWith(ATTRIBUTE) && field.length > ATTRIBUTE.length;
    if (!isAttribute && !Object.hasOwn(FIELDS, field)) continue;
    const matches = parameters.all(name).map((value) => parseMatch(value));
    for (const match of matches) checkValue(field, match);
    conditions.push({ field, isNegated, matches });
  }
  return conditions;
}

/** `*` at the end matches a prefix, `\*` is a star wherever it stands, nothing means absent. */
function parseMatch(value: string): Match {
  if (value === "") return { kind: "absent" };
  const unescaped = (text: string) => text.replaceAll("\\*", "*");
  const isPrefix = value.endsWith("*") && !value.endsWith("\\*");
  return isPrefix
    ? { kind: "prefix", value: unescaped(value.slice(0, -1)) }
    : { kind: "equals", value: unescaped(value) };
}

function checkValue(name: string, match: Match): void {
  const field = FIELDS[name];
  if (field === undefined || match.kind === "absent") return;
  if (field.type === "integer") {
    if (match.kind === "prefix") {
      if (match.value === "") return;
      throw new BadRequestError(
        `invalid_${name}`,
        `${name}=${match.value.slice(0, 40)}* is a prefix, which numbers do not have`,
        "write the whole number",
      );
    }
    const number = Number(match.value);
    if (!/^-?\d{1,10}$/.test(match.value) || number < INT32_MIN || number > INT32_MAX) {
      throw new BadRequestError(
        `invalid_${name}`,
        `${name}=${match.value.slice(0, 40)} is no 32-bit integer`,
        "write digits",
      );
    }
  }
  if (match.kind === "equals" && field.values?.includes(match.value) === false) {
    throw new BadRequestError(
      `invalid_${name}`,
      `${name}=${match.value.slice(0, 40)} does not exist`,
      `use one of ${field.values.join(", ")}`,
    );
  }
}
