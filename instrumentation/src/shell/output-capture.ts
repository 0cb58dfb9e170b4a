import { createHash } from "node:crypto";
import { mentionsSecret, redactRestOfBody } from "../redaction/kubernetes-secrets.js";
import { redactText } from "../redaction/redact.js";

/** Captured bytes of one stream by default: half from its head, half from its tail. */
export const DEFAULT_CAPTURE_BYTES = 64 * 1024;

/** Kept beyond the cut, so that a secret across it is whole when it is looked for. */
const MARGIN_BYTES = 8 * 1024;
/** What may stand of a mention of a Kubernetes Secret in the chunk before. */
const MENTION_BYTES = 512;

/** What a stream put out. */
export interface CapturedOutput {
  /** Redacted text, head and tail. */
  text: string;
  sizeBytes: number;
  sha256: string;
  isTruncated: boolean;
  /** Whether something was taken out of the text. */
  isRedacted: boolean;
}

/** Watches the bytes of one stream in bounded memory. */
export class OutputCapture {
  readonly #headLimit: number;
  readonly #tailLimit: number;
  readonly #hash = createHash("sha256");
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #sizeBytes = 0;
  /** Whether it is about Kubernetes Secrets anywhere: what is cut out may be what says so of the rest. */
  #isSecret = false;
  #lastBytes = Buffer.alloc(0);

  constructor(limitBytes = DEFAULT_CAPTURE_BYTES) {
    this.#headLimit = Math.ceil(limitBytes / 2);
    this.#tailLimit = Math.floor(limitBytes / 2);
  }

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
    if (!this.#isSecret) this.#lookForSecret(chunk);
    const room = Math.max(0, this.#headLimit + MARGIN_BYTES - this.#headBytes);
    if (room > 0) {
      const part = Buffer.from(chunk.subarray(0, room));
      this.#head.push(part);
      this.#headBytes += part.length;
    }
    this.#tail.push(Buffer.from(chunk));
    this.#tailBytes += chunk.length;
    if (this.#tailBytes > 4 * (this.#tailLimit + MARGIN_BYTES)) this.#trimTail();
  }

  finish(): CapturedOutput {
    this.#trimTail();
    const head = Buffer.concat(this.#head);
    const limit = this.#headLimit + this.#tailLimit;
    const isTruncated = this.#sizeBytes > limit;
    const pieces = isTruncated ? [head, Buffer.concat(this.#tail)] : [this.#whole(head)];
    const plain = pieces.map((piece) => piece.toString("utf8"));
    const clean = plain.map((text, i) => {
      const isRest = i > 0 && this.#isSecret;
      return redactText(isRest ? redactRestOfBody(text) : text, this.#isSecret);
    });
    return {
      text: limit === 0 ? "" : isTruncated ? this.#headAndTail(clean) : (clean[0] as string),
      sizeBytes: this.#sizeBytes,
      sha256: this.#hash.digest("hex"),
      isTruncated,
      isRedacted: clean.some((text, i) => text !== plain[i]),
    };
  }

  #lookForSecret(chunk: Buffer): void {
    const joined = Buffer.concat([this.#lastBytes, chunk]);
    // Cheaper than the pattern by far, and false for most.
    const mayBe = ["Secret", "stringData", "kubectl"].some((word) => joined.includes(word));
    this.#isSecret = mayBe && mentionsSecret(joined.toString("latin1"));
    this.#lastBytes = Buffer.from(joined.subarray(-MENTION_BYTES));
  }

  /** Head and tail overlap or touch while nothing is cut. */
  #whole(head: Buffer): Buffer {
    const tail = Buffer.concat(this.#tail);
    const known = Math.max(0, head.length + tail.length - this.#sizeBytes);
    return Buffer.concat([head, tail.subarray(known)]);
  }

  #headAndTail([head = "", tail = ""]: readonly string[]): string {
    const cut = this.#sizeBytes - this.#headLimit - this.#tailLimit;
    const start = firstBytes(head, this.#headLimit);
    return `${start}\n[cut: ${cut} bytes]\n${lastBytes(tail, this.#tailLimit)}`;
  }

  #trimTail(): void {
    const joined = Buffer.concat(this.#tail);
    const kept = joined.subarray(Math.max(0, joined.length - this.#tailLimit - MARGIN_BYTES));
    this.#tail = [Buffer.from(kept)];
    this.#tailBytes = kept.length;
  }
}

/** Text of at most so many bytes: the margin beyond it, which rules were given to look at, must not be sent. */
function firstBytes(text: string, limit: number): string {
  const cut = Buffer.from(text).subarray(0, limit).toString("utf8");
  return text.startsWith(cut) ? cut : cut.replace(/\uFFFD$/, "");
}

function lastBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  const cut = bytes.subarray(Math.max(0, bytes.length - limit)).toString("utf8");
  return text.endsWith(cut) ? cut : cut.replace(/^\uFFFD+/, "");
}
