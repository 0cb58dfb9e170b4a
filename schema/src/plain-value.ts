import { type AnyValue, isKeyValueList } from "@agent-audit/otlp";

/** Nesting at which a plain value is cut: far below OTLP's limit, and it ends cycles. */
const MAX_DEPTH = 32;

/**
 * Reads a JavaScript value as an AnyValue: whole numbers and bigints as int64, other numbers as double,
 * typed bytes as bytes, arrays and plain objects as lists and maps, dates as RFC 3339 text. What has no
 * counterpart (functions, symbols, undefined) reads as empty; text is made well-formed.
 */
export function fromPlain(value: unknown, depth = 1): AnyValue {
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
      break;
    default:
      return null;
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) return value;
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? null : value.toISOString();
  }
  if (depth > MAX_DEPTH) return "[nested too deep]";
  if (Array.isArray(value)) return value.map((item) => fromPlain(item, depth + 1));
  return {
    values: Object.entries(value)
      .filter(([, item]) => item !== undefined && typeof item !== "function")
      .map(([key, item]) => ({ key: key.toWellFormed(), value: fromPlain(item, depth + 1) })),
  };
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
