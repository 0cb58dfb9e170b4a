import fs from "node:fs";
import path from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { DataDirectory } from "../data-directory.js";
import { columnDefinitions } from "./columns.js";
import { moveAside, quote } from "./database.js";

const MILLIS_PER_DAY = 86_400_000;

export type SegmentState = "open" | "rebuilding";

/** Names a segment by its receive day. */
export function dayText(segmentDay: number): string {
  return new Date(segmentDay * MILLIS_PER_DAY).toISOString().slice(0, 10);
}

/** Names the DuckDB file of a segment. */
export function segmentFile({ events }: DataDirectory, segmentDay: number): string {
  return path.join(events, `${dayText(segmentDay)}.duckdb`);
}

/** One receive day's events in a DuckDB file of their own, with the position that the rows stand for. */
export class Segment {
  readonly day: number;
  readonly alias: string;
  readonly file: string;
  state: SegmentState = "open";
  appliedSeq: bigint;
  rows: bigint;

  private constructor(day: number, alias: string, file: string, appliedSeq: bigint, rows: bigint) {
    this.day = day;
    this.alias = alias;
    this.file = file;
    this.appliedSeq = appliedSeq;
    this.rows = rows;
  }

  /**
   * Attaches a segment, making it when it is missing; a file that cannot be read is moved aside first.
   *
   * @param firstSeq first sequence of the segment's journal
   */
  static async attach(
    connection: DuckDBConnection,
    directory: DataDirectory,
    day: number,
    firstSeq: bigint,
  ): Promise<Segment> {
    const name = dayText(day);
    const alias = `seg_${name.replaceAll("-", "")}`;
    const file = segmentFile(directory, day);
    const attach = `ATTACH ${quote(file)} AS ${alias}`;
    if (fs.existsSync(file)) {
      try {
        await connection.run(attach);
        const { appliedSeq, rows } = await readPosition(connection, alias);
        // A position before the segment's first record belongs to another journal.
        if (appliedSeq >= firstSeq - 1n) return new Segment(day, alias, file, appliedSeq, rows);
      } catch (error) {
        if (/No space left|out of memory|Permission denied/i.test((error as Error).message)) {
          throw error;
        }
        // Damaged in whatever way: the journal has every row, so it is rebuilt below.
      }
      await connection.run(`DETACH DATABASE IF EXISTS ${alias}`);
      moveAside(directory, file);
    }
    await connection.run(attach);
    await connection.run("BEGIN");
    await connection.run(`CREATE TABLE ${alias}.events (${columnDefinitions()})`);
    await connection.run(
      `CREATE TABLE ${alias}.position (applied_seq BIGINT NOT NULL, row_count BIGINT NOT NULL)`,
    );
    await connection.run(`INSERT INTO ${alias}.position VALUES (${firstSeq - 1n}, 0)`);
    await connection.run("COMMIT");
    return new Segment(day, alias, file, firstSeq - 1n, 0n);
  }

  /** Size of the file and its WAL. */
  get bytes(): number {
    return sizeOf(this.file) + this.walBytes;
  }

  get walBytes(): number {
    return sizeOf(`${this.file}.wal`);
  }
}

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

async function readPosition(
  connection: DuckDBConnection,
  alias: string,
): Promise<{ appliedSeq: bigint; rows: bigint }> {
  const result = await connection.runAndReadAll(
    `SELECT applied_seq, row_count, (SELECT count(*) FROM ${alias}.events) FROM ${alias}.position`,
  );
  const [row] = result.getRows();
  const [appliedSeq, rows, counted] = (row ?? []) as bigint[];
  if (appliedSeq === undefined || rows === undefined || rows !== counted) {
    throw new Error(`segment ${alias} does not hold the rows that its position claims`);
  }
  return { appliedSeq, rows };
}
