import type { Disk } from "./disk.js";
import { decodeFileHeader, FILE_HEADER_BYTES, type VersionedHeader } from "./format.js";

/** Read at once where reading goes on. */
const WINDOW_BYTES = 1024 * 1024;
/** Read at once after a jump: passing over frames must not read what is between their heads. */
const JUMP_BYTES = 4096;

/** Gives the bytes of a journal file by their place in its plain form. */
export interface FrameSource {
  /** Bytes of the plain form; a file that is written to grows. */
  size(): number;
  /**
   * Reads `length` bytes at `offset`, or fewer where no frame can go on. The result points into a buffer that the
   * next call may replace.
   */
  read(offset: number, length: number): Buffer;
  /** Finds a place from which to look for a sequence: the start of a frame that does not lie behind it. */
  seek(seq: bigint): number;
  close(): void;
}

/** Reads a plain journal file through a window. */
export class PlainSource implements FrameSource {
  readonly #disk: Disk;
  readonly #fd: number;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  constructor(disk: Disk, fd: number) {
    this.#disk = disk;
    this.#fd = fd;
  }

  size(): number {
    return this.#disk.fstatSync(this.#fd).size;
  }

  read(offset: number, length: number): Buffer {
    const start = offset - this.#windowStart;
    if (start >= 0 && start + length <= this.#window.length) {
      return this.#window.subarray(start, start + length);
    }
    const isJump = start < 0 || start > this.#window.length;
    const window = Buffer.allocUnsafe(Math.max(length, isJump ? JUMP_BYTES : WINDOW_BYTES));
    let filled = 0;
    while (filled < window.length) {
      const rest = window.length - filled;
      const read = this.#disk.readSync(this.#fd, window, filled, rest, offset + filled);
      if (read === 0) break;
      filled += read;
    }
    this.#window = window.subarray(0, filled);
    this.#windowStart = offset;
    return this.#window.subarray(0, length);
  }

  seek(): number {
    return FILE_HEADER_BYTES;
  }

  close(): void {
    this.#disk.closeSync(this.#fd);
  }
}

/** Reads a plain file's header; `null` when that is damaged. */
export function openPlain(
  disk: Disk,
  fd: number,
): { header: VersionedHeader; source: PlainSource; nextSeq: null } | null {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  const read = disk.readSync(fd, bytes, 0, FILE_HEADER_BYTES, 0);
  const header = decodeFileHeader(bytes.subarray(0, read));
  return header === null ? null : { header, source: new PlainSource(disk, fd), nextSeq: null };
}
