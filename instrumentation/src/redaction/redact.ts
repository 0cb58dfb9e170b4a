import { type AnyValue, isKeyValueList, type KeyValue } from "@agent-audit/otlp";
import type { AuditEvent } from "@agent-audit/schema";
import {
  isSecretBody,
  isSecretMark,
  mentionsSecret,
  REDACTED_BODY,
  redactSecretBodies,
} from "./kubernetes-secrets.js";
import {
  CURL_USER,
  isCardNumber,
  QUERY_ONLY_NAMES,
  SECRET_FIELD,
  SECRET_NAMES,
  SECRET_OPTION,
  TEXT_RULES,
} from "./rules.js";

const PEM_EDGE = /-----(BEGIN|END) [A-Z ]{0,40}PRIVATE KEY-----/g;

/**
 * Replaces every secret that a rule finds in text by `[redacted:<rule>]`.
 *
 * @param isSecret whether the text is known to be about a Kubernetes Secret; else it must say so itself
 */
export function redactText(text: string, isSecret = false): string {
  let result = redactSecretBodies(redactPrivateKeys(text), isSecret);
  for (const { name, pattern, keepsContext, accepts } of TEXT_RULES) {
    result = result.replace(pattern, (match: string, ...groups: unknown[]) => {
      const before = keepsContext ? (groups[0] as string) : "";
      const secret = match.slice(before.length);
      if (secret.startsWith("[redacted:") || accepts?.(match) === false) return match;
      return `${before}[redacted:${name}]`;
    });
  }
  return result;
}

/** A key that is cut off at either end goes as far as the text does. */
function redactPrivateKeys(text: string): string {
  if (!text.includes("PRIVATE KEY-----")) return text;
  let result = "";
  /** Where the text goes on that is not part of a key. */
  let from = 0;
  let isInKey = false;
  for (const { 0: edge, 1: kind, index } of text.matchAll(PEM_EDGE)) {
    if (kind === "BEGIN" && !isInKey) {
      result += `${text.slice(from, index)}[redacted:private-key]`;
      isInKey = true;
    } else if (kind === "END") {
      if (!isInKey) result += "[redacted:private-key]";
      isInKey = false;
      from = index + edge.length;
    }
  }
  return isInKey ? result : result + text.slice(from);
}

/**
 * Replaces secrets anywhere in a value: by pattern in text, by name in maps.
 *
 * @param isInSecret whether it is a part of a Kubernetes Secret
 */
export function redactValue(value: AnyValue, isInSecret = false): AnyValue {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "number" || typeof value === "bigint") return redactNumber(value);
  if (Array.isArray(value)) return redactList(value, isInSecret);
  if (value !== null && isKeyValueList(value)) {
    const isSecret = isInSecret || value.values.some(({ key, value }) => isSecretMark(key, value));
    return { values: value.values.map((pair) => redactPair(pair, isSecret)) };
  }
  return value;
}

function redactNumber(value: number | bigint): AnyValue {
  return isCardNumber(String(value)) ? "[redacted:card]" : value;
}

/** In a list of arguments the value of `--password` is the item after it. */
function redactList(items: readonly AnyValue[], isInSecret = false): AnyValue[] {
  const words = items.filter((item) => typeof item === "string");
  const isSecret = isInSecret || mentionsSecret(words.join(" "));
  const isCurl = words.some((word) => /(?:^|\/)curl$/.test(word));
  return items.map((item, i) => {
    if (typeof item !== "string") return redactValue(item, isInSecret);
    const option = items[i - 1];
    const isValue =
      typeof option === "string" &&
      (SECRET_OPTION.test(option) ||
        (isCurl && item.includes(":") && CURL_USER_OPTION.test(option)));
    if (isValue) return "[redacted:option]";
    const rest = isCurl ? item.replace(CURL_USER_ARGUMENT, "$1[redacted:option]") : item;
    return redactText(rest.replace(LITERAL_ARGUMENT, "$1[redacted:option]"), isSecret);
  });
}

/** An item of its own goes to its end, whatever it holds. */
const LITERAL_ARGUMENT = /^(--from-literal=[^=]{1,253}=)[\s\S]+$/;
const CURL_USER_ARGUMENT = new RegExp(`^((?:${CURL_USER})=?)[^=:]*:[\\s\\S]*$`);
const CURL_USER_OPTION = new RegExp(`^(?:${CURL_USER})$`);

/** As for a list of the event, and as for the line that they make: a secret may stand in another argument than its name. */
export function redactArguments(args: readonly string[]): string[] {
  const items = redactList(args) as string[];
  // Spaces of their own must not part them.
  const line = items.map((item) => item.replaceAll(" ", "\t")).join(" ");
  const clean = redactText(line);
  return clean === line ? items : clean.split(" ").map((item) => item.replaceAll("\t", " "));
}

const HEADER_ATTRIBUTE = /^http\.(?:request|response)\.header\./;

function redactPair({ key, value }: KeyValue, isInSecret = false): KeyValue {
  if (isInSecret && isSecretBody(key) && value !== null) return { key, value: REDACTED_BODY };
  // The question mark, which the attribute leaves out, is what tells a parameter from other text.
  if (key === "url.query" && typeof value === "string") {
    return { key, value: redactText(`?${value}`).slice(1) };
  }
  const name = key.toLowerCase().replace(HEADER_ATTRIBUTE, "");
  const isSecret =
    (SECRET_NAMES.has(name) && !QUERY_ONLY_NAMES.has(name)) || SECRET_FIELD.test(name);
  if (isSecret && value !== null && value !== "") return { key, value: "[redacted:name]" };
  return { key, value: redactValue(value, isInSecret) };
}

/** Redacts an event's text, content and metadata, and lists the keys that changed in `redacted`. */
export function redactEvent(event: AuditEvent): AuditEvent {
  const redacted = new Set(event.redacted ?? []);
  const text = (key: string, value: string): string => {
    const clean = redactText(value);
    if (clean !== value) redacted.add(key);
    return clean;
  };
  const map = (values: Record<string, AnyValue>): Record<string, AnyValue> =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => {
        const clean = redactPair({ key, value }).value;
        if (!isSame(clean, value)) redacted.add(key);
        return [key, clean];
      }),
    );
  const clean: AuditEvent = {
    ...event,
    action: text("action", event.action),
    metadata: map(event.metadata),
    ...(event.content === undefined ? {} : { content: map(event.content) }),
    ...(event.description === undefined
      ? {}
      : { description: text("description", event.description) }),
    ...(event.resource === undefined
      ? {}
      : { resource: { ...event.resource, id: text("resource.id", event.resource.id) } }),
  };
  return redacted.size === 0 ? clean : { ...clean, redacted: [...redacted] };
}

function isSame(a: AnyValue, b: AnyValue): boolean {
  if (Object.is(a, b)) return true;
  if (a === null || b === null) return false;
  if (Array.isArray(a) && Array.isArray(b)) return a.every((item, i) => isSame(item, b[i] ?? null));
  if (!isKeyValueList(a) || !isKeyValueList(b)) return a instanceof Uint8Array;
  return a.values.every((pair, i) => isSame(pair.value, b.values[i]?.value ?? null));
}
