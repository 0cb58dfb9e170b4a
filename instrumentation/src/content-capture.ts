import { createHash } from "node:crypto";
import { fromPlain, toJson } from "@agent-audit/schema";
import { redactText, redactValue } from "./redaction/redact.js";

/** Largest captured structure, as JSON; a larger one is kept as cut text. */
const MAX_CONTENT_LENGTH = 64 * 1024;

/** Digests a structure as JSON; `undefined` for none. */
export function contentDigest(value: unknown): string | undefined {
  const json = jsonOf(value);
  return json === undefined ? undefined : createHash("sha256").update(json).digest("hex");
}

/** Gives a structure as it is captured: whole, or past the limit the head of its JSON. */
export function captureContent(value: unknown): unknown {
  const json = jsonOf(value);
  if (json === undefined || json.length <= MAX_CONTENT_LENGTH) return value;
  // Before the cut, which could else leave half a secret that no rule knows any more, or the value of a name without it.
  const clean = redactText(JSON.stringify(toJson(redactValue(fromPlain(value)))));
  return `${clean.slice(0, MAX_CONTENT_LENGTH)}[cut: ${json.length} characters]`;
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // A cycle or a bigint: there is no JSON to digest, and the host's call goes on all the same.
    return undefined;
  }
}
