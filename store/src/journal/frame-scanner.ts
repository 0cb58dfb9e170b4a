import type { Disk } from "./disk.js";
import { decodeFrame, FRAME_HEAD_BYTES, FRAME_MAGIC, type Frame, frameLength } from "./format.js";

const WINDOW_BYTES = 1024 * 1024;

/** Gives the outcome of reading one frame. */
export type FrameRead =
  | { status: "frame"; frame: Frame; offset: number; end: number }
  | { status: "end" }
  | { status: "bad"; offset: number; reason: string };

/**
 * Reads frames from a journal file, one after another, through a window of the file. A frame's payload
 * points into the window: copy what must outlive the next call.
 */
export class FrameScanner {
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #salt: number;
  #window = Buffer.alloc(0);
  #windowStart = 0;
  offset: number;

  /** @param salt of the file's header */
  constructor(disk: Disk, fd: number, offset: number, salt: number) {
    this.#salt = salt;
    this.#disk = disk;
    this.#fd = fd;
    this.offset = offset;
  }

  /** Reads the frame at `offset` and moves past it; stays where it is on `end` and `bad`. */
  next(): FrameRead {
    const offset = this.offset;
    const head = this.#bytes(offset, FRAME_HEAD_BYTES);
    if (head.length === 0) return { status: "end" };
    const bad = (reason: string): FrameRead => ({ status: "bad", offset, reason });
    if (head.length < FRAME_HEAD_BYTES) return bad("the frame is cut off");
    const length = frameLength(head, this.#salt);
    if (length === null) return bad("no frame starts here");
    if (offset + length > this.#disk.fstatSync(this.#fd).size) return bad("the frame is cut off");
    const frame = decodeFrame(this.#bytes(offset, length), this.#salt);
    if (frame === null) return bad("the checksum does not match");
    this.offset = offset + length;
    return { status: "frame", frame, offset, end: this.offset };
  }

  /** Looks past a damaged place for the next frame that is whole. */
  resynchronise(from: number): FrameRead {
    const size = this.#disk.fstatSync(this.#fd).size;
    for (let at = from; at < size; ) {
      const window = this.#bytes(at, Math.min(WINDOW_BYTES, size - at));
      const found = window.indexOf(FRAME_MAGIC);
      if (found < 0) {
        at += Math.max(1, window.length - FRAME_MAGIC.length + 1);
        continue;
      }
      this.offset = at + found;
      const read = this.next();
      if (read.status === "frame") return read;
      at += found + 1;
    }
    return { status: "end" };
  }

  #bytes(offset: number, length: number): Buffer {
    const start = offset - this.#windowStart;
    if (start >= 0 && start + length <= this.#window.length) {
      return this.#window.subarray(start, start + length);
    }
    const window = Buffer.allocUnsafe(Math.max(length, WINDOW_BYTES));
    let filled = 0;
    while (filled < window.length) {
      const read = this.#disk.readSync(
        this.#fd,
        window,
        filled,
        window.length - filled,
        offset + filled,
      );
      if (read === 0) break;
      filled += read;
    }
    this.#window = window.subarray(0, filled);
    this.#windowStart = offset;
    return this.#window.subarray(0, length);
  }
}
