import {
  decodeFrame,
  decodeHead,
  FRAME_HEAD_BYTES,
  FRAME_MAGIC,
  type Frame,
  type FrameHead,
} from "./format.js";
import type { FrameSource } from "./frame-source.js";

const SEARCH_BYTES = 1024 * 1024;

/** A place that holds no whole frame. */
export interface BadFrame {
  status: "bad";
  offset: number;
  reason: string;
}

/** Gives the outcome of reading one frame. */
export type FrameRead =
  | { status: "frame"; frame: Frame; offset: number; end: number }
  | { status: "end" }
  | BadFrame;

/** Gives the outcome of reading one frame's head; `end` is where the whole frame ends. */
export type HeadRead =
  | { status: "head"; head: FrameHead; offset: number; end: number }
  | { status: "end" }
  | BadFrame;

/**
 * Reads frames from a journal file, one after another. A frame's payload points into the source's buffer:
 * copy what must outlive the next call.
 */
export class FrameScanner {
  readonly #source: FrameSource;
  readonly #salt: number;
  offset: number;

  /** @param salt of the file's header */
  constructor(source: FrameSource, offset: number, salt: number) {
    this.#source = source;
    this.#salt = salt;
    this.offset = offset;
  }

  /** Reads the frame at `offset` and moves past it; stays where it is on `end` and `bad`. */
  next(): FrameRead {
    const read = this.peek();
    if (read.status !== "head") return read;
    const { offset, end } = read;
    const frame = decodeFrame(this.#source.read(offset, end - offset), this.#salt);
    if (frame === null) return { status: "bad", offset, reason: "the checksum does not match" };
    this.offset = end;
    return { status: "frame", frame, offset, end };
  }

  /** Reads the head of the frame at `offset`, which has a checksum of its own, and stays there. */
  peek(): HeadRead {
    const { offset } = this;
    const bytes = this.#source.read(offset, FRAME_HEAD_BYTES);
    if (bytes.length === 0) return { status: "end" };
    const bad = (reason: string): BadFrame => ({ status: "bad", offset, reason });
    if (bytes.length < FRAME_HEAD_BYTES) return bad("the frame is cut off");
    const head = decodeHead(bytes, this.#salt);
    if (head === null) return bad("no frame starts here");
    const end = offset + head.length;
    if (end > this.#source.size()) return bad("the frame is cut off");
    return { status: "head", head, offset, end };
  }

  /** Looks past a damaged place for the next frame that is whole; reads the file once, whatever it holds. */
  resynchronise(from: number): FrameRead {
    const size = this.#source.size();
    for (let at = from; at + FRAME_HEAD_BYTES <= size; ) {
      const window = this.#source.read(at, Math.min(SEARCH_BYTES, size - at));
      const end = window.length - FRAME_HEAD_BYTES;
      for (let i = window.indexOf(FRAME_MAGIC); i >= 0 && i <= end; ) {
        if (decodeHead(window.subarray(i, i + FRAME_HEAD_BYTES), this.#salt) !== null) {
          this.offset = at + i;
          const read = this.next();
          if (read.status === "frame") return read;
        }
        i = window.indexOf(FRAME_MAGIC, i + 1);
      }
      at += end + 1;
    }
    return { status: "end" };
  }
}
