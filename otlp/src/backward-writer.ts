/**
 * Fills a buffer from its end to its start, so that a message's length is known when its prefix is
 * written, without measuring first or moving bytes.
 */
export class BackwardWriter {
  #buffer = Buffer.allocUnsafe(4096);
  #start = this.#buffer.length;

  finish(): Buffer {
    return this.#buffer.subarray(this.#start);
  }

  message(tag: number, fill: () => void): void {
    const end = this.#written();
    fill();
    this.#prefix(tag, this.#written() - end);
  }

  text(tag: number, value: string): void {
    if (value !== "") this.textAlways(tag, value);
  }

  textAlways(tag: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#buffer.write(value, this.#start, length, "utf8");
    this.#prefix(tag, length);
  }

  bytes(tag: number, value: Uint8Array): void {
    if (value.length > 0) this.bytesAlways(tag, value);
  }

  bytesAlways(tag: number, value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#start);
    this.#prefix(tag, value.length);
  }

  uint(tag: number, value: number): void {
    if (value !== 0) this.varint(tag, BigInt(value >>> 0));
  }

  /** Negative int32 and enum values take ten bytes, as protobuf prescribes. */
  int(tag: number, value: bigint): void {
    if (value !== 0n) this.varint(tag, BigInt.asUintN(64, value));
  }

  varint(tag: number, value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#raw(bytes);
    this.#raw(varintBytes(tag));
  }

  double(tag: number, value: number): void {
    this.#reserve(8);
    this.#buffer.writeDoubleLE(value, this.#start);
    this.#raw(varintBytes(tag));
  }

  fixed64(tag: number, value: bigint): void {
    if (value === 0n) return;
    this.#reserve(8);
    this.#buffer.writeBigUInt64LE(value, this.#start);
    this.#raw(varintBytes(tag));
  }

  fixed32(tag: number, value: number): void {
    if (value === 0) return;
    this.#reserve(4);
    this.#buffer.writeUInt32LE(value, this.#start);
    this.#raw(varintBytes(tag));
  }

  #prefix(tag: number, length: number): void {
    this.#raw(varintBytes(length));
    this.#raw(varintBytes(tag));
  }

  #raw(bytes: ArrayLike<number>): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#start);
  }

  #reserve(length: number): void {
    if (length > this.#start) this.#grow(length);
    this.#start -= length;
  }

  #grow(length: number): void {
    const written = this.#written();
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, written + length));
    this.#buffer.copy(larger, larger.length - written, this.#start);
    this.#buffer = larger;
    this.#start = larger.length - written;
  }

  #written(): number {
    return this.#buffer.length - this.#start;
  }
}

/** Encodes an unsigned varint of up to 53 bits. */
export function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
