const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** What is made of a stream's lines. */
export interface LineReader {
  onLine(line: string): void;
  /** A line past the limit, of which only the size is known. */
  onTooLong(sizeBytes: number): void;
}

/**
 * Cuts a byte stream into lines for a reader on the side. Ends of lines are those of Python's text streams:
 * a lone carriage return is one, too. Empty lines are left out.
 */
export class LineSplitter {
  readonly #reader: LineReader;
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(reader: LineReader, maxBytes = 16 * 1024 * 1024) {
    this.#reader = reader;
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer): void {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (chunk[at] !== NEWLINE && chunk[at] !== CARRIAGE_RETURN) continue;
      this.#keep(chunk.subarray(start, at));
      this.end();
      start = at + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** Takes what has come for a line: readers take a last one that nothing ends. */
  end(): void {
    const parts = this.#parts;
    const bytes = this.#bytes;
    this.#parts = [];
    this.#bytes = 0;
    if (bytes > this.#maxBytes) this.#reader.onTooLong(bytes);
    else if (bytes > 0) this.#reader.onLine(Buffer.concat(parts).toString());
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes <= this.#maxBytes) this.#parts.push(part);
    else this.#parts = [];
  }
}
