import type { DuckDBAppender } from "@duckdb/node-api";
import { nextSeqOf } from "../journal/format.js";
import type { JournalReader, SegmentFrame } from "../journal/journal-reader.js";
import type { SegmentId } from "../segment-id.js";
import { frameRows } from "./frame-rows.js";
import type { RightOfWay } from "./right-of-way.js";
import { RowWriter } from "./row-writer.js";
import type { Segment, SegmentPosition } from "./segment.js";

/** Rows of one transaction: a full DuckDB row group, which goes to the file without a detour through the WAL. */
const MAX_ROWS = 122_880;
/** Rows after which others may be let in. */
const PIECE_ROWS = 32;
/** How long it waits for more where nothing waits for it. */
const LINGER_MILLIS = 20;
/** How long it takes in what arrives: five commits a second cost a quarter less of both cores than forty. */
const MAX_LINGER_MILLIS = 200;

export interface BatchOptions {
  segment: Segment;
  reader: JournalReader;
  /** Payload that it takes, about. */
  maxBytes: number;
  rightOfWay: RightOfWay;
}

/** What one transaction takes in of a segment's journal. */
export class Batch {
  rows = 0;
  /** Last sequence that it has taken in, or, where it failed, tried to. */
  lastSeq: bigint;
  /** Segment of the frame that ended it, when that is another one. */
  nextSegment: SegmentId | null = null;
  /** Whether it ended within a frame, behind which the reader stands. */
  isWithinFrame = false;
  readonly #options: BatchOptions;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.lastSeq = options.segment.appliedSeq;
  }

  /**
   * Writes rows from a frame on, and closes the appender.
   *
   * @param arrived gives what `upto` has become: it then stays open for a moment, and takes in what arrives; `null` where
   *   nothing is waited for
   * @returns where the segment stands with its rows
   */
  async fill(
    appender: DuckDBAppender,
    first: SegmentFrame,
    upto: bigint,
    arrived: (() => bigint) | null,
  ): Promise<SegmentPosition> {
    const writer = new RowWriter(appender);
    try {
      await this.#write(writer, first, upto, arrived);
      writer.flush();
      appender.closeSync();
    } catch (error) {
      dismiss(appender);
      throw error;
    }
    const { position } = this.#options.segment;
    return {
      appliedSeq: this.lastSeq,
      rows: position.rows + BigInt(this.rows),
      minTime: least(position.minTime, writer.minTime),
      maxTime: greatest(position.maxTime, writer.maxTime),
      emptyColumns: position.emptyColumns.filter((name) => !writer.filled.has(name)),
    };
  }

  async #write(
    writer: RowWriter,
    first: SegmentFrame,
    upto: bigint,
    arrived: (() => bigint) | null,
  ): Promise<void> {
    const { segment, reader, maxBytes, rightOfWay } = this.#options;
    const lingerUntil = performance.now() + MAX_LINGER_MILLIS;
    let end = upto;
    let bytes = 0;
    for (let next: SegmentFrame | null = first; next !== null; next = reader.next(end)) {
      if (next.segment !== segment.id) {
        this.nextSegment = next.segment;
        break;
      }
      const fromSeq = this.lastSeq + 1n;
      const frameEnd = nextSeqOf(next.frame) - 1n;
      this.isWithinFrame = frameEnd > end;
      this.lastSeq = this.isWithinFrame ? end : frameEnd;
      for (const row of frameRows(next, fromSeq, this.lastSeq)) {
        writer.write(...row);
        // Queries wait for this thread, and ingest for its core.
        if (++this.rows % PIECE_ROWS === 0) await rightOfWay.pauseWhenDue();
      }
      bytes += next.frame.payload.length;
      if (this.isWithinFrame || rightOfWay.isClosed) break;
      if (this.rows >= MAX_ROWS || bytes >= maxBytes) break;
      if (arrived === null || this.lastSeq < end || performance.now() > lingerUntil) continue;
      if (arrived() === end) await rightOfWay.wait(LINGER_MILLIS);
      end = arrived();
    }
  }
}

/** Left as it is, it would write its rows when it is collected as garbage, after the transaction was taken back. */
function dismiss(appender: DuckDBAppender): void {
  try {
    appender.clear();
    appender.closeSync();
  } catch {
    // It holds nothing any more.
  }
}

function least(a: bigint | null, b: bigint | null): bigint | null {
  return a === null || (b !== null && b < a) ? b : a;
}

function greatest(a: bigint | null, b: bigint | null): bigint | null {
  return a === null || (b !== null && b > a) ? b : a;
}
