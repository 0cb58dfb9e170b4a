import fs from "node:fs";
import type { DuckDBConnection } from "@duckdb/node-api";
import { dayOf, dayText, partOf, type SegmentId, segmentFile } from "../segment-id.js";
import { COLUMN_NAMES, type ColumnName, columnDefinitions } from "./columns.js";
import { quote } from "./database.js";
import { hasSums } from "./segment-sums.js";

export type SegmentState = "open" | "sealed" | "damaged" | "rebuilding";

/** What is written about a segment's rows in the transaction that adds them. */
export interface SegmentPosition {
  /** Last sequence that the rows stand for. */
  appliedSeq: bigint;
  rows: bigint;
  /** Least and greatest event time of the rows, ns since 1970 UTC; `null` without rows. */
  minTime: bigint | null;
  maxTime: bigint | null;
  /**
   * Columns in which no row holds anything: half of them, where agents touch a few of the surfaces. DuckDB fills in as many
   * nothings as a vector has rows, so that a page is read faster without them.
   */
  emptyColumns: readonly ColumnName[];
}

/** Says which file to attach, and what it must be. */
export interface SegmentSource {
  /** `<data>/events` */
  directory: string;
  id: SegmentId;
  /** First sequence of the segment's journal. */
  firstSeq: bigint;
  /** Ids that the data directory has, or had. */
  storeIds: readonly string[];
}

/** One segment's events in a DuckDB file of their own, with the position that the rows stand for. */
export class Segment {
  readonly id: SegmentId;
  readonly alias: string;
  readonly file: string;
  readonly firstSeq: bigint;
  /** Last sequence of the segment; `null` while it gets more. */
  lastSeq: bigint | null = null;
  state: SegmentState = "open";
  position: SegmentPosition;
  /** Whether it carries the sums of its rows; asked for once it is sealed. */
  hasSums = false;
  /** Why each record of the segment that has no row has none. */
  readonly setAside: Map<bigint, string>;

  constructor(
    { directory, id, firstSeq }: SegmentSource,
    position: SegmentPosition,
    setAside = new Map<bigint, string>(),
  ) {
    this.id = id;
    this.alias = aliasOf(id);
    this.file = segmentFile(directory, id);
    this.firstSeq = firstSeq;
    this.position = position;
    this.setAside = setAside;
  }

  get appliedSeq(): bigint {
    return this.position.appliedSeq;
  }

  /** Size of the file and its WAL. */
  get bytes(): number {
    return sizeOf(this.file) + this.walBytes;
  }

  get walBytes(): number {
    return sizeOf(`${this.file}.wal`);
  }

  /** Whether its rows can be read. */
  get isReadable(): boolean {
    return this.state === "open" || this.state === "sealed";
  }
}

/**
 * Attaches a segment's file as it is.
 *
 * @throws when the file cannot be read, or does not hold what its position says
 */
export async function attachSegment(
  connection: DuckDBConnection,
  source: SegmentSource,
  isReadOnly: boolean,
): Promise<Segment> {
  const alias = aliasOf(source.id);
  const file = segmentFile(source.directory, source.id);
  try {
    await connection.run(`ATTACH ${quote(file)} AS ${alias}${isReadOnly ? " (READ_ONLY)" : ""}`);
    if (!isReadOnly) {
      for (const statement of withEmptyColumns(alias)) await connection.run(statement);
    }
    const position = await readPosition(connection, alias, source);
    const segment = new Segment(source, position, await readSetAside(connection, alias));
    segment.hasSums = isReadOnly && (await hasSums(connection, alias));
    return segment;
  } catch (error) {
    await detachSegment(connection, source.id);
    throw error;
  }
}

/** Makes a segment without rows. */
export async function makeSegment(
  connection: DuckDBConnection,
  source: SegmentSource,
): Promise<Segment> {
  const alias = aliasOf(source.id);
  const appliedSeq = source.firstSeq - 1n;
  const statements = [
    `ATTACH ${quote(segmentFile(source.directory, source.id))} AS ${alias}`,
    "BEGIN",
    `CREATE TABLE ${alias}.events (${columnDefinitions()})`,
    `CREATE TABLE ${alias}.set_aside (seq BIGINT NOT NULL, reason VARCHAR NOT NULL)`,
    `CREATE TABLE ${alias}.position (store_id VARCHAR NOT NULL, applied_seq BIGINT NOT NULL, row_count BIGINT NOT NULL, min_time UBIGINT, max_time UBIGINT)`,
    ...withEmptyColumns(alias),
    `INSERT INTO ${alias}.position VALUES (${quote(source.storeIds[0] as string)}, ${appliedSeq}, 0, NULL, NULL, ${listOf(COLUMN_NAMES)}, ${appliedSeq})`,
    "COMMIT",
  ];
  for (const statement of statements) await connection.run(statement);
  const times = { minTime: null, maxTime: null };
  return new Segment(source, { appliedSeq, rows: 0n, ...times, emptyColumns: COLUMN_NAMES });
}

export async function detachSegment(connection: DuckDBConnection, id: SegmentId): Promise<void> {
  await connection.run(`DETACH DATABASE IF EXISTS ${aliasOf(id)}`);
}

/** Puts a new position in the place of the old one, within the open transaction. */
export async function writePosition(
  connection: DuckDBConnection,
  { alias, position }: Segment,
  { appliedSeq, rows, minTime, maxTime, emptyColumns }: SegmentPosition,
): Promise<void> {
  const changes = [
    `applied_seq = ${appliedSeq}`,
    `row_count = ${rows}`,
    `min_time = ${minTime ?? "NULL"}`,
    `max_time = ${maxTime ?? "NULL"}`,
    // Where nothing is known, a list that an earlier version has outrun must not count again.
    `empty_upto = ${emptyColumns.length === 0 ? "NULL" : appliedSeq}`,
  ];
  // A list is not updated in its place, as numbers are: each time would leave a row behind until the next checkpoint.
  if (emptyColumns.length !== position.emptyColumns.length) {
    changes.push(`empty_columns = ${listOf(emptyColumns)}`);
  }
  await connection.run(`UPDATE ${alias}.position SET ${changes.join(", ")}`);
}

/** Adds what files of earlier versions lack: of their rows it is not known. */
function withEmptyColumns(alias: string): string[] {
  return ["empty_columns VARCHAR[]", "empty_upto BIGINT"].map(
    (column) => `ALTER TABLE ${alias}.position ADD COLUMN IF NOT EXISTS ${column}`,
  );
}

function listOf(columns: readonly ColumnName[]): string {
  return `[${columns.map(quote).join(", ")}]::VARCHAR[]`;
}

function aliasOf(id: SegmentId): string {
  const day = dayText(dayOf(id)).replaceAll("-", "");
  return partOf(id) === 0 ? `seg_${day}` : `seg_${day}_${partOf(id)}`;
}

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

async function readSetAside(
  connection: DuckDBConnection,
  alias: string,
): Promise<Map<bigint, string>> {
  const result = await connection.runAndReadAll(`SELECT seq, reason FROM ${alias}.set_aside`);
  return new Map(result.getRows() as [bigint, string][]);
}

interface PositionRow {
  store_id: string;
  applied_seq: bigint;
  row_count: bigint;
  min_time: bigint | null;
  max_time: bigint | null;
  /** Not there in files of earlier versions. */
  empty_columns?: ColumnName[] | null;
  /** The `applied_seq` that they were written for: an earlier version moves on without them. */
  empty_upto?: bigint | null;
}

type FoundRow = [
  position: PositionRow,
  counted: bigint,
  least: bigint | null,
  greatest: bigint | null,
];

async function readPosition(
  connection: DuckDBConnection,
  alias: string,
  { firstSeq, storeIds }: SegmentSource,
): Promise<SegmentPosition> {
  const result = await connection.runAndReadAll(
    `SELECT p, counted, least, greatest FROM ${alias}.position p, (SELECT count(*) AS counted, min(seq) AS least, max(seq) AS greatest FROM ${alias}.events)`,
  );
  const [row] = result.getRowsJS();
  if (row === undefined) throw new Error("it has no position");
  const [position, counted, least, greatest] = row as unknown as FoundRow;
  const { store_id, applied_seq: appliedSeq, row_count: rows } = position;
  if (!storeIds.includes(store_id)) throw new Error(`it belongs to store ${store_id}`);
  if (rows !== counted) throw new Error(`it has ${counted} rows, its position says ${rows}`);
  if (appliedSeq < firstSeq - 1n || (least ?? firstSeq) < firstSeq) {
    throw new Error(`it holds sequences before ${firstSeq}`);
  }
  if ((greatest ?? appliedSeq) > appliedSeq) throw new Error("it has rows past its position");
  const { min_time: minTime, max_time: maxTime, empty_columns, empty_upto } = position;
  const emptyColumns = (empty_upto === appliedSeq && empty_columns) || [];
  return { appliedSeq, rows, minTime, maxTime, emptyColumns };
}
