const NEWLINE = 0x0a;

/** Cuts a byte stream into lines for a reader on the side. A line past the limit is passed over whole. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  #isSkipping = false;

  constructor(onLine: (line: string) => void, maxBytes = 16 * 1024 * 1024) {
    this.#onLine = onLine;
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      this.#finishLine();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  #keep(part: Buffer): void {
    if (part.length === 0 || this.#isSkipping) return;
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes <= this.#maxBytes) return;
    this.#isSkipping = true;
    this.#parts = [];
  }

  #finishLine(): void {
    if (!this.#isSkipping && this.#bytes > 0) this.#onLine(Buffer.concat(this.#parts).toString());
    this.#parts = [];
    this.#bytes = 0;
    this.#isSkipping = false;
  }
}
