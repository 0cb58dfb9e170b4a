import { MalformedRequestError } from "./malformed-request-error.js";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** The unit that each escape's letter stands for; 0 for no escape. */
const ESCAPES = new Uint16Array(128);
for (const [letter, unit] of ['""', "\\\\", "//", "b\b", "f\f", "n\n", "r\r", "t\t"]) {
  ESCAPES[(letter as string).charCodeAt(0)] = (unit as string).charCodeAt(0);
}

/** Names what stands at the cursor, by its first character. */
export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

/**
 * Reads JSON text in place and in order. Unlike `JSON.parse` it keeps the digits of numbers, sees
 * duplicate and `__proto__` keys, and skips a value of any depth without recursion.
 *
 * @see RFC 8259
 */
export class JsonCursor {
  readonly text: string;
  position = 0;
  /** Whether a lone surrogate was replaced by U+FFFD since this was last cleared. */
  hasReplacedSurrogate = false;

  readonly #units = new Units();

  constructor(text: string) {
    this.text = text;
  }

  /** Tells what kind of value comes next. */
  kind(): JsonKind {
    this.#space();
    switch (this.text.charCodeAt(this.position)) {
      case OPEN_OBJECT:
        return "object";
      case OPEN_ARRAY:
        return "array";
      case QUOTE:
        return "string";
      case 0x74: // t
      case 0x66: // f
        return "boolean";
      case 0x6e: // n
        return "null";
      default:
        return "number";
    }
  }

  /** Visits each member of an object; `visit` must consume the member's value. */
  object(visit: (key: string) => void): void {
    this.#expect(OPEN_OBJECT, "{");
    if (this.#take(CLOSE_OBJECT)) return;
    do {
      const key = this.string();
      this.#expect(COLON, ":");
      visit(key);
    } while (this.#take(COMMA));
    this.#expect(CLOSE_OBJECT, "} or ,");
  }

  /** Visits each element of an array; `visit` must consume it. */
  array(visit: () => void): void {
    this.#expect(OPEN_ARRAY, "[");
    if (this.#take(CLOSE_ARRAY)) return;
    do visit();
    while (this.#take(COMMA));
    this.#expect(CLOSE_ARRAY, "] or ,");
  }

  /** Reads a string. Control characters are taken as they stand; lone surrogates become U+FFFD. */
  string(): string {
    const plain = this.#plain();
    if (plain !== null) return plain;
    this.#escaped(this.#units);
    const text = this.#units.take();
    if (text.isWellFormed()) return text;
    this.hasReplacedSurrogate = true;
    return text.toWellFormed();
  }

  /** Reads a number and gives its text, digit for digit. */
  number(): string {
    this.#space();
    NUMBER.lastIndex = this.position;
    const match = NUMBER.exec(this.text);
    if (match === null) this.fail("no JSON value");
    this.position += match[0].length;
    return match[0];
  }

  boolean(): boolean {
    if (this.#word("true")) return true;
    if (this.#word("false")) return false;
    this.fail("no boolean");
  }

  /** Consumes `null` if it comes next. */
  null(): boolean {
    return this.#word("null");
  }

  /** Skips one value of any depth, checking its grammar. */
  skip(): void {
    const open = new ByteStack();
    for (;;) {
      switch (this.kind()) {
        case "object":
          this.position++;
          if (this.#take(CLOSE_OBJECT)) break;
          open.push(CLOSE_OBJECT);
          this.#memberName();
          continue;
        case "array":
          this.position++;
          if (this.#take(CLOSE_ARRAY)) break;
          open.push(CLOSE_ARRAY);
          continue;
        case "string":
          this.#skipString();
          break;
        case "boolean":
          this.boolean();
          break;
        case "null":
          if (!this.null()) this.fail("no JSON value");
          break;
        case "number":
          this.number();
          break;
      }
      // A value has ended: close what ends with it, then go on with its neighbour.
      while (open.length > 0 && this.#take(open.top())) open.pop();
      if (open.length === 0) return;
      this.#expect(COMMA, "a comma or a closing bracket");
      if (open.top() === CLOSE_OBJECT) this.#memberName();
    }
  }

  /** Fails unless only white space is left. */
  end(): void {
    this.#space();
    if (this.position < this.text.length) this.fail("text after the end of the JSON value");
  }

  fail(message: string): never {
    throw new MalformedRequestError("malformed_json", message, this.position);
  }

  #memberName(): void {
    this.#skipString();
    this.#expect(COLON, ":");
  }

  #skipString(): void {
    if (this.#plain() === null) this.#escaped(null);
  }

  /** Reads a string without escapes; `null`, at its first character, for another. */
  #plain(): string | null {
    this.#expect(QUOTE, "a string");
    const close = this.text.indexOf('"', this.position);
    if (close < 0) this.fail("a string is not closed");
    const plain = this.text.slice(this.position, close);
    if (plain.includes("\\")) return null;
    this.position = close + 1;
    return plain;
  }

  /** Reads a string with escapes; `into` is `null` where nobody wants its text. */
  #escaped(into: Units | null): void {
    const { text } = this;
    for (let i = this.position; ; i++) {
      let unit = text.charCodeAt(i);
      if (Number.isNaN(unit)) this.fail("a string is not closed");
      if (unit === QUOTE) {
        this.position = i + 1;
        return;
      }
      if (unit === BACKSLASH) {
        const letter = text.charCodeAt(++i);
        if (letter === LOWER_U) {
          unit = this.#hexUnit(i + 1);
          i += 4;
        } else {
          unit = ESCAPES[letter] ?? 0;
          if (unit === 0) this.fail(`an unknown escape \\${text[i] ?? ""}`);
        }
      }
      into?.push(unit);
    }
  }

  #hexUnit(at: number): number {
    const hex = this.text.slice(at, at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.fail("a \\u escape without four hex digits");
    return Number.parseInt(hex, 16);
  }

  #word(word: string): boolean {
    this.#space();
    if (!this.text.startsWith(word, this.position)) return false;
    this.position += word.length;
    return true;
  }

  #take(code: number): boolean {
    this.#space();
    if (this.text.charCodeAt(this.position) !== code) return false;
    this.position++;
    return true;
  }

  #expect(code: number, what: string): void {
    if (!this.#take(code)) this.fail(`expected ${what}`);
  }

  #space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.position++;
    }
  }
}

/** Builds text of UTF-16 units in blocks: a string that grew by each unit would be a tree of as many nodes. */
class Units {
  readonly #block = Buffer.alloc(8192);
  #length = 0;
  #text = "";

  push(unit: number): void {
    if (this.#length === this.#block.length) this.#flush();
    this.#block[this.#length++] = unit & 0xff;
    this.#block[this.#length++] = unit >> 8;
  }

  /** Gives the text, and begins another. */
  take(): string {
    this.#flush();
    const text = this.#text;
    this.#text = "";
    return text;
  }

  #flush(): void {
    this.#text += this.#block.toString("utf16le", 0, this.#length);
    this.#length = 0;
  }
}

/** Holds the open brackets: one byte each, so that a body of nothing but brackets costs its own size. */
class ByteStack {
  #bytes = new Uint8Array(64);
  length = 0;

  push(byte: number): void {
    if (this.length === this.#bytes.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.length++] = byte;
  }

  pop(): void {
    this.length--;
  }

  top(): number {
    return this.#bytes[this.length - 1] as number;
  }
}
