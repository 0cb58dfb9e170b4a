// Texts are YAML or JSON, or stand in a JSON text themselves: with backslashes before quotes and in the place of newlines.

export const REDACTED_BODY = "[redacted:kubernetes-secret]";

/** Of a list of Secrets none has a kind of its own; nothing else has `stringData`; and some commands say it themselves. */
const MENTION =
  /(?:\b|\\n)(?:kind\\{0,16}["']?[ \t]{0,8}:\s{0,8}\\{0,16}["']?Secret(?:List)?\b|stringData\\{0,16}["']?[ \t]{0,8}:)|\bkubectl\b[^\r\n]{0,256}\bsecrets?\b/;
const ANY_KIND = /(?:\b|\\n)kind\\{0,16}["']?[ \t]{0,8}:/;
const CORE_VERSION = /(?:\b|\\n)apiVersion\\{0,16}["']?[ \t]{0,8}:\s{0,8}\\{0,16}["']?v1\b/;
/** Up to the brace of a map, or the end of a line: there may be an anchor, a tag or a comment before it. */
const BODY =
  /(?<=^|[^\w.$-]|\\n|\n[+-])(\\{0,16}["']?)(?:data|stringData)\1[ \t]{0,8}:(?:\s{0,64}?(\{)(?!\{)|[ \t]{0,64}(?:[&!][^\s\\]{0,64}[ \t]{0,8}){0,2}(?:#[^\r\n\\]{0,512})?((?:\\{1,16}r|\r)?(?:\\{1,16}n|\n)))/g;
/** What tools put before each line: numbers, or a name and a bar. */
const LINE_PREFIX = /^(?:[ \t]{0,8}\d{1,8}[\t→:]|[\w.-]{1,64}[ \t]{1,16}\|[ ]?)/;
const PREFIX_LENGTH = 96;
const IS_DIFF = /^@@ /m;
/** What stands beside the body in a Secret, or begins another object. */
const OTHER_FIELD = /^[ \t]*(?:- )?["']?(?:apiVersion|kind|metadata|type|immutable)["']?:/;

/** Whether a text is about a Secret. */
export function mentionsSecret(text: string): boolean {
  return MENTION.test(text);
}

/** Whether a field of a Secret holds what it keeps. */
export function isSecretBody(field: string): boolean {
  return field === "data" || field === "stringData";
}

/** Whether a field of an object says that it is a Secret, or a list of them. */
export function isSecretMark(field: string, value: unknown): boolean {
  if (field === "kind") return value === "Secret" || value === "SecretList";
  return field === "stringData";
}

/**
 * Replaces what Kubernetes Secrets in a text keep; other objects beside them lose theirs, too.
 *
 * @param isKnown whether it is known to be about a Secret; else the text must say so
 */
export function redactSecretBodies(text: string, isKnown: boolean): string {
  if (!/data|stringData/.test(text)) return text;
  // The kind comes after the data: of a long body it may be cut off.
  const isCut = () => !ANY_KIND.test(text) && CORE_VERSION.test(text);
  if (!isKnown && !mentionsSecret(text) && !isCut()) return text;
  const isDiff = IS_DIFF.test(text);
  let result = "";
  let from = 0;
  for (const match of text.matchAll(BODY)) {
    const { 0: start, 1: quote = "", 3: newline, index } = match;
    if (index < from) continue;
    const end = index + start.length;
    const close =
      newline === undefined ? objectEnd(text, end) : blockEnd(text, index, end, newline, isDiff);
    if (close === end) continue;
    const value =
      newline === undefined
        ? `${quote}${REDACTED_BODY}${quote}`
        : `${REDACTED_BODY}${text.endsWith(newline, close) ? newline : ""}`;
    const name = start.slice(0, start.indexOf(":") + 1);
    result += `${text.slice(from, index)}${name}${quote === "" ? " " : ""}${value}`;
    from = close;
  }
  return result + text.slice(from);
}

/**
 * Replaces what the end of a long output about Secrets begins with, which may be the rest of a body: its first line, and
 * those after it that are further in, up to another field.
 */
export function redactRestOfBody(text: string): string {
  let end = nextLine(text, 0);
  while (end < text.length) {
    const next = nextLine(text, end);
    const line = text.slice(end, next);
    if (/^\S/.test(line) || OTHER_FIELD.test(line)) break;
    end = next;
  }
  return `${REDACTED_BODY}\n${text.slice(end)}`;
}

function nextLine(text: string, from: number): number {
  const next = text.indexOf("\n", from);
  return next === -1 ? text.length : next + 1;
}

/**
 * Finds where the lines end that are further in than the one with a key; at the latest where the JSON string around them
 * does.
 *
 * @param key where the key begins
 * @param firstLine where the line after it begins
 * @param newline as it stands in the text
 */
function blockEnd(
  text: string,
  key: number,
  firstLine: number,
  newline: string,
  isDiff: boolean,
): number {
  const slashes = newline.lastIndexOf("\\") + 1;
  const isMarked = isDiff && slashes === 0;
  const depth = depthOf(text, key, isMarked);
  let end = firstLine;
  while (end < text.length) {
    const next = text.indexOf(newline, end);
    const lineEnd = next === -1 ? text.length : next;
    const inner = indented(text, end, lineEnd, isMarked);
    const isBlank =
      inner.end >= lineEnd || /^(?:#|\{\{)/.test(text.slice(inner.end, inner.end + 2));
    if (!isBlank && inner.end - inner.start <= depth) break;
    const closing = slashes === 0 ? -1 : quoteWithin(text, inner.end, lineEnd, slashes);
    if (closing !== -1) return closing;
    end = Math.min(text.length, lineEnd + newline.length);
  }
  return end;
}

/** Columns before a key of YAML: spaces or tabs, and the dash of a list's item, without what a tool puts before a line. */
function depthOf(text: string, key: number, isDiff: boolean): number {
  let start = key;
  while (/[ \t-]/.test(text[start - 1] ?? "")) start--;
  // A line in which it begins further in has no such prefix.
  const near = Math.max(0, key - PREFIX_LENGTH);
  const line = near + text.slice(near, key).lastIndexOf("\n") + 1;
  const prefixed = indented(text, line, key, isDiff);
  return key - Math.max(start, Math.min(key, prefixed.start));
}

/** Finds where a line's indentation begins, after what a tool puts before it, and where it ends. */
function indented(
  text: string,
  line: number,
  lineEnd: number,
  isDiff: boolean,
): { start: number; end: number } {
  const prefix =
    LINE_PREFIX.exec(text.slice(line, Math.min(lineEnd, line + PREFIX_LENGTH)))?.[0].length ?? 0;
  const isMarked = prefix === 0 && isDiff && /[+ -]/.test(text[line] ?? "");
  const start = line + (isMarked ? 1 : prefix);
  let end = start;
  while (end < lineEnd && (text[end] === " " || text[end] === "\t")) end++;
  return { start, end };
}

/** Finds a quote with fewer backslashes than newlines have: the place of the first of them. */
function quoteWithin(text: string, from: number, to: number, slashes: number): number {
  let run = 0;
  for (let i = from; i < to; i++) {
    if (text[i] === '"' && run < slashes) return i - run;
    run = text[i] === "\\" ? run + 1 : 0;
  }
  return -1;
}

/**
 * Finds the brace that closes a map of strings, whose quotes may be escaped; the end of the text where it was cut off, and
 * the start where it holds something else than strings.
 */
function objectEnd(text: string, start: number): number {
  let slashes = 0;
  /** Backslashes before the double quotes of this map; known with its first one. */
  let level = -1;
  let quote = "";
  /** Last character that is not a space. */
  let before = "{";
  for (let i = start; i < text.length; i++) {
    const char = text[i] as string;
    if (char === "\\") {
      slashes++;
      continue;
    }
    if (char === '"' && quote !== "'") {
      if (level === -1) level = slashes;
      if (slashes % (2 * (level + 1)) === level) quote = quote === "" ? '"' : "";
    } else if (char === "'" && quote === "'") quote = "";
    else if (quote === "") {
      if (char === "'" && /[{,:]/.test(before)) quote = "'";
      else if (char === "{" || char === "[") return start;
      else if (char === "}") return i + 1;
    }
    slashes = 0;
    if (!/\s/.test(char)) before = char;
  }
  return text.length;
}
