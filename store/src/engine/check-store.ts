import fs from "node:fs";
import { AuditError } from "@agent-audit/schema";
import type { DuckDBConnection } from "@duckdb/node-api";
import { CatalogLog } from "../catalog-log.js";
import {
  type DataDirectory,
  makeDataDirectory,
  type StoreIds,
  storeIdsOf,
} from "../data-directory.js";
import { nodeDisk } from "../journal/disk.js";
import { type Frame, nextSeqOf } from "../journal/format.js";
import { journalEnd } from "../journal/journal-end.js";
import { listJournalFiles } from "../journal/journal-files.js";
import { JournalReader } from "../journal/journal-reader.js";
import { segmentFile, segmentFiles, segmentName } from "../segment-id.js";
import { covers } from "../seq-range.js";
import { columnDefinitions } from "./columns.js";
import { openDatabase } from "./database.js";
import { frameRows } from "./frame-rows.js";
import { RowWriter } from "./row-writer.js";
import { attachSegment, detachSegment, type Segment } from "./segment.js";
import { journalHoles, type SegmentRange, segmentRanges } from "./segment-ranges.js";
import { countWrongSums } from "./segment-sums.js";

/** Records that are compared at once. */
const STEP = 100_000n;
/** Sequences that a report names of one segment. */
const MAX_NAMED = 20;
const EXPECTED = "expected.main.events";

/** What comparing one segment with its journal has found. */
export interface SegmentCheck {
  segment: string;
  firstSeq: bigint;
  lastSeq: bigint;
  /** Records whose rows were compared. */
  records: bigint;
  /** Records that are not applied yet: the next start does that. */
  behind: bigint;
  /** Records that cannot be rows. */
  setAside: number;
  /** What is wrong, in words; empty when nothing is. */
  faults: string[];
  /** Whether the journal is at fault: then DuckDB's file may be the only copy. */
  isJournalFault: boolean;
}

/**
 * Compares every row with the record that it was made from. Changes nothing.
 *
 * @param onSegment told of what is missing from the journal, of each segment, oldest first, and of files that no journal stands
 *   behind
 * @throws AuditError `data_directory`, `data_directory_locked`, `journal_corrupt`, `catalog_corrupt`
 */
export async function checkStore(
  data: string,
  onSegment: (check: SegmentCheck) => void,
): Promise<void> {
  const directory = makeDataDirectory(data);
  const instance = await openDatabase({ directory });
  try {
    const storeIds = storeIdsOf(directory);
    const connection = await instance.connect();
    await connection.run("ATTACH ':memory:' AS expected");
    const catalog = new CatalogLog(directory.root);
    const lastSeq = journalEnd(directory.journal) - 1n;
    const ranges = segmentRanges(directory.journal, lastSeq, catalog.dropped);
    for (const hole of journalHoles(listJournalFiles(directory.journal), catalog.absent)) {
      const faults = ["they are missing from the journal: a file is gone"];
      onSegment({ ...nothingOf("journal"), ...hole, faults, isJournalFault: true });
    }
    for (const range of ranges) {
      onSegment(await checkSegment(connection, { directory, storeIds, catalog }, range));
    }
    const known = new Set([...ranges, ...catalog.dropped].map(({ id }) => id));
    for (const id of segmentFiles(directory.events).filter((id) => !known.has(id))) {
      const faults = ["the journal has none of its events"];
      onSegment({ ...nothingOf(segmentName(id)), faults });
    }
    catalog.close();
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}

/** Reads the journal from a sequence on, past what may be missing from it. */
type OpenJournal = (fromSeq: bigint) => JournalReader;

interface CheckedStore {
  directory: DataDirectory;
  storeIds: StoreIds;
  catalog: CatalogLog;
}

async function checkSegment(
  connection: DuckDBConnection,
  { directory, storeIds, catalog }: CheckedStore,
  range: SegmentRange,
): Promise<SegmentCheck> {
  const { id, firstSeq, lastSeq } = range;
  const check: SegmentCheck = { ...nothingOf(segmentName(id)), firstSeq, lastSeq };
  const file = segmentFile(directory.events, id);
  if (!fs.existsSync(file)) return { ...check, faults: ["its file is missing"] };
  let segment: Segment;
  try {
    segment = await attachSegment(
      connection,
      { directory: directory.events, id, firstSeq, storeIds },
      true,
    );
  } catch (error) {
    return { ...check, faults: [(error as Error).message] };
  }
  const { appliedSeq, setAside, position } = segment;
  check.setAside = setAside.size;
  const sealed = catalog.sealed(id);
  if (sealed !== undefined && sealed.rows !== position.rows) {
    check.faults.push(`it has ${position.rows} rows, ${sealed.rows} when it was sealed`);
  }
  if (appliedSeq > lastSeq) {
    check.faults.push(`it holds sequences up to ${appliedSeq}, the journal up to ${lastSeq}`);
  } else check.behind = lastSeq - appliedSeq;
  try {
    const openJournal = (fromSeq: bigint) =>
      new JournalReader(directory.journal, fromSeq, nodeDisk, (hole) =>
        covers(catalog.absent, hole),
      );
    await compare(connection, openJournal, segment, range, check);
    const wrong = segment.hasSums ? await countWrongSums(connection, segment.alias) : 0n;
    if (wrong > 0n) check.faults.push(`${wrong} of its sums are not those of its rows`);
    const hidden = await countHidden(connection, segment);
    if (hidden > 0n) check.faults.push(`${hidden} values stand in columns that it calls empty`);
  } catch (error) {
    check.faults.push((error as Error).message);
    check.isJournalFault = error instanceof AuditError && error.code === "journal_corrupt";
  }
  await detachSegment(connection, id);
  return check;
}

/** Counts the values in columns that the position calls empty: pages do not read those. */
async function countHidden(
  connection: DuckDBConnection,
  { alias, position: { emptyColumns } }: Segment,
): Promise<bigint> {
  if (emptyColumns.length === 0) return 0n;
  const counts = emptyColumns.map((column) => `count(${column})`).join(" + ");
  const result = await connection.runAndReadAll(`SELECT ${counts} FROM ${alias}.events`);
  return result.getRows()[0]?.[0] as bigint;
}

/** Makes the rows again, a piece at a time, and looks for those that differ, are missing, or are too many. */
async function compare(
  connection: DuckDBConnection,
  openJournal: OpenJournal,
  segment: Segment,
  { firstSeq, lastSeq }: SegmentRange,
  check: SegmentCheck,
): Promise<void> {
  const end = segment.appliedSeq < lastSeq ? segment.appliedSeq : lastSeq;
  for (let from = firstSeq; from <= end; from += STEP) {
    const to = from + STEP - 1n < end ? from + STEP - 1n : end;
    await makeExpected(connection, openJournal, segment.setAside, from, to);
    const result = await connection.runAndReadAll(`
SELECT coalesce(e.seq, s.seq) AS place, e.seq IS NULL AS is_extra, s.seq IS NULL AS is_missing
FROM (SELECT seq, hash(t) AS h FROM ${EXPECTED} t) e
FULL JOIN (SELECT seq, hash(t) AS h, count(*) OVER (PARTITION BY seq) AS n FROM ${segment.alias}.events t WHERE seq BETWEEN ${from} AND ${to}) s
ON e.seq = s.seq WHERE e.h IS DISTINCT FROM s.h OR n > 1 ORDER BY place LIMIT ${MAX_NAMED}`);
    for (const [seq, isExtra, isMissing] of result.getRows()) {
      if (check.faults.length >= MAX_NAMED) return;
      const how = isExtra ? "is no record's" : isMissing ? "is missing" : "differs from its record";
      check.faults.push(`the row of sequence ${seq} ${how}`);
    }
    check.records += to - from + 1n;
  }
  // What is not applied yet must be readable, too.
  openJournal(end + 1n).checkUpto(lastSeq);
  for (const seq of segment.setAside.keys()) {
    const isRow = await makeExpected(connection, openJournal, new Map(), seq, seq).then(
      () => true,
      () => false,
    );
    if (isRow) check.faults.push(`sequence ${seq} was set aside, but it can be a row`);
  }
}

async function makeExpected(
  connection: DuckDBConnection,
  openJournal: OpenJournal,
  setAside: Segment["setAside"],
  from: bigint,
  to: bigint,
): Promise<void> {
  await connection.run(`CREATE OR REPLACE TABLE ${EXPECTED} (${columnDefinitions()})`);
  const appender = await connection.createAppender("events", "main", "expected");
  const writer = new RowWriter(appender);
  const reader = openJournal(from);
  try {
    for (let next = reader.next(to); next !== null; next = reader.next(to)) {
      if (!isSetAside(next.frame, setAside)) {
        for (const row of frameRows(next, from, to, setAside)) writer.write(...row);
      }
      if (nextSeqOf(next.frame) > to) break;
    }
    writer.flush();
  } finally {
    reader.close();
    appender.closeSync();
  }
}

/** Whether all records of a frame are set aside: then it may be one that cannot be decoded. */
function isSetAside(frame: Frame, setAside: Segment["setAside"]): boolean {
  for (let seq = frame.firstSeq; seq < nextSeqOf(frame); seq++) {
    if (!setAside.has(seq)) return false;
  }
  return true;
}

function nothingOf(segment: string): SegmentCheck {
  return {
    segment,
    firstSeq: 0n,
    lastSeq: 0n,
    records: 0n,
    behind: 0n,
    setAside: 0,
    faults: [],
    isJournalFault: false,
  };
}
