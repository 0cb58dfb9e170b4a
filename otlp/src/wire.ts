import {
  checkElementCount,
  MAX_READABLE_ELEMENTS,
  MalformedRequestError,
} from "./malformed-request-error.js";

/** Names the protobuf wire types that OTLP uses. */
export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
const WIRE_START_GROUP = 3;
const WIRE_END_GROUP = 4;
export const WIRE_FIXED32 = 5;

/** Levels of groups in groups that are skipped, as in the stock runtimes: a byte opens one, and each is remembered. */
const MAX_GROUP_DEPTH = 100;

/**
 * Reads protobuf primitives in place. Every read checks the end of the buffer, so a length that lies
 * ends in `malformed_protobuf`, never in bytes of a neighbour.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class WireReader {
  readonly bytes: Buffer;
  position: number;
  readonly #maxElements: number;
  #elements = 0;

  constructor(bytes: Buffer, position = 0, maxElements = MAX_READABLE_ELEMENTS) {
    this.bytes = bytes;
    this.position = position;
    this.#maxElements = maxElements;
  }

  /** Reads a varint and keeps its low 32 bits, unsigned: what protobuf does for tags, enums and uint32. */
  varint32(): number {
    const bytes = this.bytes;
    let position = this.position;
    let byte = bytes[position++];
    if (byte !== undefined && byte < 0x80) {
      this.position = position;
      return byte;
    }
    let result = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (byte === undefined) this.fail("a varint is cut off");
      if (shift < 32) result |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = position;
        return result >>> 0;
      }
      byte = bytes[position++];
    }
    this.fail("a varint has more than 10 bytes");
  }

  /** Reads a varint as an unsigned 64-bit number. */
  varint64(): bigint {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.position++];
      if (byte === undefined) this.fail("a varint is cut off");
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        return high === 0 ? BigInt(low >>> 0) : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
      }
    }
    this.fail("a varint has more than 10 bytes");
  }

  /** Reads a field's tag: field number << 3 | wire type. */
  tag(): number {
    const tag = this.varint32();
    if (tag < 8) this.fail("field number 0");
    return tag;
  }

  /** Reads a length prefix and gives the end of what follows, which lies at or before `limit`. */
  end(limit: number): number {
    const start = this.position;
    const first = this.bytes[start];
    const second = this.bytes[start + 1];
    let length: number;
    if (first !== undefined && first < 0x80) {
      length = first;
      this.position = start + 1;
    } else if (first !== undefined && second !== undefined && second < 0x80) {
      length = (first & 0x7f) | (second << 7);
      this.position = start + 2;
    } else {
      length = Number(this.varint64());
    }
    const end = this.position + length;
    if (end > limit) this.fail(`a length of ${length} bytes passes the end of its message`);
    return end;
  }

  /** As {@link end}, for a message of which there may be many: what is read of them stays in memory together. */
  element(limit: number): number {
    checkElementCount(++this.#elements, this.#maxElements, this.position);
    return this.end(limit);
  }

  fixed64(limit: number): bigint {
    const position = this.position;
    if (position + 8 > limit) this.fail("a fixed64 is cut off");
    this.position = position + 8;
    return this.bytes.readBigUInt64LE(position);
  }

  double(limit: number): number {
    const position = this.position;
    if (position + 8 > limit) this.fail("a double is cut off");
    this.position = position + 8;
    return this.bytes.readDoubleLE(position);
  }

  fixed32(limit: number): number {
    const position = this.position;
    if (position + 4 > limit) this.fail("a fixed32 is cut off");
    this.position = position + 4;
    return this.bytes.readUInt32LE(position);
  }

  /** Skips the value that follows `tag`; groups are skipped without recursion. */
  skip(tag: number, limit: number): void {
    if ((tag & 7) === WIRE_START_GROUP) this.skipGroup(tag, limit);
    else this.skipScalar(tag, limit);
  }

  private skipScalar(tag: number, limit: number): void {
    switch (tag & 7) {
      case WIRE_VARINT:
        this.#skipVarint();
        break;
      case WIRE_FIXED64:
        this.position += 8;
        break;
      case WIRE_BYTES:
        this.position = this.end(limit);
        break;
      case WIRE_FIXED32:
        this.position += 4;
        break;
      default:
        this.fail(`wire type ${tag & 7} of field ${tag >>> 3} cannot stand here`);
    }
    if (this.position > limit) this.fail("a field passes the end of its message");
  }

  #skipVarint(): void {
    const { bytes, position } = this;
    for (let length = 1; length <= 10; length++) {
      const byte = bytes[position + length - 1];
      if (byte === undefined) this.fail("a varint is cut off");
      if (byte < 0x80) {
        this.position = position + length;
        return;
      }
    }
    this.fail("a varint has more than 10 bytes");
  }

  private skipGroup(startTag: number, limit: number): void {
    const open = [startTag >>> 3];
    while (open.length > 0) {
      if (this.position >= limit) this.fail("a group is not closed");
      const tag = this.tag();
      if ((tag & 7) === WIRE_START_GROUP) {
        if (open.push(tag >>> 3) > MAX_GROUP_DEPTH) {
          this.fail(`groups nest deeper than ${MAX_GROUP_DEPTH}`);
        }
      } else if ((tag & 7) === WIRE_END_GROUP) {
        if (open.pop() !== tag >>> 3) this.fail("a group is closed by another's end");
      } else this.skipScalar(tag, limit);
    }
  }

  /** Fails unless the message that was read ended where its length said: a varint could run past it. */
  expectEnd(end: number): void {
    if (this.position !== end) this.fail("a field passes the end of its message");
  }

  fail(message: string): never {
    throw new MalformedRequestError("malformed_protobuf", message, this.position);
  }
}
