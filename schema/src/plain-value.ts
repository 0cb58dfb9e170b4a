import { type AnyValue, isKeyValueList, type KeyValue } from "@agent-audit/otlp";

/** Nesting at which a plain value is cut: far below OTLP's limit. */
const MAX_DEPTH = 32;
/** Values that one plain value may hold: shared objects would else multiply without end. */
const MAX_NODES = 20_000;

/**
 * Reads a JavaScript value as an AnyValue: whole numbers and bigints as int64, other numbers as double,
 * typed bytes as bytes, arrays and plain objects as lists and maps, dates as RFC 3339 text. What has no
 * counterpart (functions, symbols, undefined) reads as empty; text is made well-formed; cycles, nesting
 * past 32 and what comes after 20,000 values read as a note in square brackets.
 */
export function fromPlain(value: unknown): AnyValue {
  return new PlainReader().read(value, 1);
}

class PlainReader {
  #nodes = 0;
  /** The objects that the current one lies in. */
  readonly #open = new Set<object>();

  read(value: unknown, depth: number): AnyValue {
    switch (typeof value) {
      case "string":
        return value.toWellFormed();
      case "boolean":
        return value;
      case "number":
        return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
      case "bigint":
        return BigInt.asIntN(64, value) === value ? value : String(value);
      case "object":
        return value === null ? null : this.#object(value, depth);
      default:
        return null;
    }
  }

  #object(value: object, depth: number): AnyValue {
    if (value instanceof Uint8Array) return value;
    if (value instanceof Date) {
      return Number.isNaN(value.getTime()) ? null : value.toISOString();
    }
    if (this.#open.has(value)) return "[circular]";
    if (depth > MAX_DEPTH) return "[nested too deep]";
    this.#open.add(value);
    try {
      if (Array.isArray(value)) return value.map((item) => this.#member(item, depth));
      const values: KeyValue[] = [];
      for (const [key, item] of Object.entries(value)) {
        if (item === undefined || typeof item === "function") continue;
        values.push({ key: key.toWellFormed(), value: this.#member(item, depth) });
      }
      return { values };
    } finally {
      this.#open.delete(value);
    }
  }

  #member(item: unknown, depth: number): AnyValue {
    this.#nodes++;
    return this.#nodes > MAX_NODES ? "[too many values]" : this.read(item, depth + 1);
  }
}

/** What JSON can carry of an AnyValue. */
export type Json = null | string | boolean | number | Json[] | { [key: string]: Json };

/**
 * Views an AnyValue as JSON for people: integers beyond 2^53 as decimal text, bytes as base64, NaN and
 * infinities as text, of duplicate map keys the first.
 */
export function toJson(value: AnyValue): Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(toJson);
  if (isKeyValueList(value)) {
    const map = new Map<string, Json>();
    for (const pair of value.values) {
      if (!map.has(pair.key)) map.set(pair.key, toJson(pair.value));
    }
    return Object.fromEntries(map);
  }
  return value satisfies never;
}
