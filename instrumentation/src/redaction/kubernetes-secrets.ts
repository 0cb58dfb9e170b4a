// Texts are YAML or JSON, or stand in a JSON text themselves: with backslashes before quotes and in the place of newlines.

/** Lists of Secrets have no kind of their own at each. */
const SECRET_KIND = /(?:\b|\\n)kind\\{0,8}["']?[ \t]{0,8}:\s{0,8}\\{0,8}["']?Secret(?:List)?\b/;
const ANY_KIND = /(?:\b|\\n)kind\\{0,8}["']?[ \t]{0,8}:/;
const CORE_VERSION = /(?:\b|\\n)apiVersion\\{0,8}["']?[ \t]{0,8}:\s{0,8}\\{0,8}["']?v1\b/;
const BODY =
  /(?<=^|[^\w.$-]|\\n)(\\{0,8}["']?)(?:data|stringData)\1[ \t]{0,8}:(?:\s{0,64}?(\{)|[ \t]{0,8}((?:\\{1,8}r|\r)?(?:\\{1,8}n|\n)))/g;

export const REDACTED_BODY = "[redacted:kubernetes-secret]";

/** Whether a field of a Secret holds what it keeps. */
export function isSecretBody(field: string): boolean {
  return field === "data" || field === "stringData";
}

/** Whether an object of this kind is a Secret, or a list of them. */
export function isSecretKind(kind: unknown): boolean {
  return kind === "Secret" || kind === "SecretList";
}

/** Replaces what Kubernetes Secrets in a text keep; other objects beside them lose theirs, too. */
export function redactSecretBodies(text: string): string {
  if (!/data|stringData/.test(text)) return text;
  // The kind comes after the data: of a long body it may be cut off.
  const isCut = !ANY_KIND.test(text) && CORE_VERSION.test(text);
  if (!isCut && !SECRET_KIND.test(text)) return text;
  let result = "";
  let from = 0;
  for (const match of text.matchAll(BODY)) {
    const { 0: start, 1: quote = "", 3: newline, index } = match;
    if (index < from) continue;
    const end = index + start.length;
    const close =
      newline === undefined
        ? objectEnd(text, end)
        : blockEnd(text, end, depthOf(text, index), newline);
    if (close === end) continue;
    const name = start.slice(0, start.indexOf(":") + 1);
    const value =
      newline === undefined
        ? `${quote}${REDACTED_BODY}${quote}`
        : ` ${REDACTED_BODY}${text.endsWith(newline, close) ? newline : ""}`;
    result += text.slice(from, index) + name + value;
    from = close;
  }
  return result + text.slice(from);
}

/** Replaces what the end of an output begins with, where that is the rest of a Secret's body: its kind comes after it. */
export function redactRestOfBody(text: string): string {
  const kind = SECRET_KIND.exec(text);
  const before = text.slice(0, kind?.index ?? 0);
  if (before.trim() === "" || CORE_VERSION.test(before)) return text;
  const line = before.lastIndexOf("\n");
  return `${REDACTED_BODY}${line === -1 ? text.slice(before.length) : text.slice(line)}`;
}

/** Columns before a key of YAML: spaces, and the dash of a list's item. */
function depthOf(text: string, index: number): number {
  let start = index;
  while (/[ -]/.test(text[start - 1] ?? "")) start--;
  return index - start;
}

/** Finds where the lines end that are further in than a key; at the latest where the JSON string around them does. */
function blockEnd(text: string, firstLine: number, depth: number, newline: string): number {
  const slashes = newline.lastIndexOf("\\") + 1;
  let end = firstLine;
  while (end < text.length) {
    let inner = end;
    while (text[inner] === " ") inner++;
    const isBlank = text.startsWith(newline, inner);
    if (!isBlank && inner - end <= depth) break;
    const next = text.indexOf(newline, inner);
    const lineEnd = next === -1 ? text.length : next;
    const closing = slashes === 0 ? -1 : quoteWithin(text, inner, lineEnd, slashes);
    if (closing !== -1) return closing;
    end = Math.min(text.length, lineEnd + newline.length);
  }
  return end;
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

/** Finds the brace that closes a map of strings, whose quotes may be escaped; the end of the text where it was cut off. */
function objectEnd(text: string, start: number): number {
  let slashes = 0;
  /** Backslashes before the quotes of this map; known with its first one. */
  let level = -1;
  let isInString = false;
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (char === "\\") {
      slashes++;
      continue;
    }
    if (char === '"') {
      if (level === -1) level = slashes;
      if (slashes % (2 * (level + 1)) === level) isInString = !isInString;
    } else if (char === "}" && !isInString) return i + 1;
    slashes = 0;
  }
  return text.length;
}
