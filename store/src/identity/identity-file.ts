import path from "node:path";
import { crc32 } from "node:zlib";
import { type Disk, nodeDisk, readFile, replaceFile } from "../journal/disk.js";
import { journalNames } from "../journal/journal-files.js";
import { JournalReader } from "../journal/journal-reader.js";
import { IntervalSet } from "./interval-set.js";
import { RecentKeys } from "./recent-keys.js";
import { identityScanner } from "./record-identity.js";
import { SeenRecords } from "./seen-records.js";

// Byte layout: docs/journal-format.md.

const MAGIC = Buffer.from("AAIDENT2");
const KEY_WORDS = 4;
const KEY_BYTES = KEY_WORDS * 4;
const ENTRY_BYTES = KEY_BYTES + 4;
/** Of the synced files: the newest, and the one before it in case that one is damaged. */
const KEPT_FILES = 2;

/**
 * Reads what the journal's records are known by: from the newest sound identity file and the frames after
 * it. Without such a file all frames are read.
 *
 * @param syncedSeq last sequence of the recovered journal
 */
export function loadSeenRecords(
  journalDirectory: string,
  syncedSeq: bigint,
  disk: Disk = nodeDisk,
): SeenRecords {
  let seen = new SeenRecords();
  let fromSeq = journalNames(journalDirectory, disk)[0]?.firstSeq ?? 1n;
  for (const { file, firstSeq } of identityFiles(journalDirectory, disk)) {
    if (firstSeq > syncedSeq + 1n) {
      // It knows records that this journal has not, as when an older one was put in place. Later it would pass
      // for the newest, and take other records of these sequences for known.
      disk.unlinkSync(file);
      continue;
    }
    const read = decode(readFile(disk, file));
    if (read === null) continue;
    seen = read;
    fromSeq = firstSeq;
    break;
  }
  const scanner = identityScanner();
  // What was dropped cannot be known again; whether it was is the engine's to check.
  const reader = new JournalReader(journalDirectory, fromSeq, disk, () => true);
  for (let next = reader.next(syncedSeq); next !== null; next = reader.next(syncedSeq)) {
    const { frame } = next;
    seen.classify({
      ...frame,
      digest: () => frame.digest,
      scan: scanner.scan(frame.payload),
    });
  }
  reader.close();
  return seen;
}

/**
 * Writes what all records before `firstSeq` are known by, and removes what is older: of the files at the beginning of a
 * journal file two stay.
 *
 * @param isSynced `false` within a journal file, where it only gives a start after a crash less to read and ingest must
 *   not wait: a loss of power may damage it, and the one of the file's beginning counts
 */
export function saveSeenRecords(
  journalDirectory: string,
  firstSeq: bigint,
  seen: SeenRecords,
  disk: Disk = nodeDisk,
  isSynced = true,
): void {
  const name = `${String(firstSeq).padStart(20, "0")}.ids`;
  replaceFile(disk, path.join(journalDirectory, name), encode(seen), isSynced);
  const beginnings = new Set(journalNames(journalDirectory, disk).map(({ firstSeq }) => firstSeq));
  let synced = isSynced ? 1 : 0;
  for (const older of identityFiles(journalDirectory, disk)) {
    if (older.firstSeq >= firstSeq) continue;
    if (beginnings.has(older.firstSeq) && synced++ < KEPT_FILES) continue;
    disk.unlinkSync(older.file);
  }
}

/** Identity files, newest first. */
function identityFiles(directory: string, disk: Disk): { file: string; firstSeq: bigint }[] {
  return disk
    .readdirSync(directory)
    .flatMap((name) => {
      const match = /^(\d{20})\.ids$/.exec(name);
      if (match === null) return [];
      return [{ file: path.join(directory, name), firstSeq: BigInt(match[1] as string) }];
    })
    .sort((a, b) => (a.firstSeq < b.firstSeq ? 1 : -1));
}

function encode(seen: SeenRecords): Buffer[] {
  const header = Buffer.from(
    JSON.stringify({
      streams: [...seen.streams].map(([key, sequences]) => [key, sequences.toJSON()]),
      requests: [...seen.requests].map(([name, receivedNano]) => [name, String(receivedNano)]),
    }),
  );
  const head = Buffer.alloc(MAGIC.length + 8);
  MAGIC.copy(head);
  head.writeUInt32LE(header.length, MAGIC.length);
  head.writeUInt32LE(seen.recent.size, MAGIC.length + 4);
  // As it lies in memory: the server runs on little-endian machines only, as the engine's vectors do.
  const parts = [head, header, ...seen.recent.views().map(asBytes)];
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(parts.reduce((sum, part) => crc32(part, sum), 0));
  return [...parts, crc];
}

function asBytes({ buffer, byteOffset, byteLength }: Uint32Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** `null` for a file that is not whole. */
function decode(bytes: Buffer): SeenRecords | null {
  const headEnd = MAGIC.length + 8;
  if (bytes.length < headEnd + 4 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const headerEnd = headEnd + bytes.readUInt32LE(MAGIC.length);
  const count = bytes.readUInt32LE(MAGIC.length + 4);
  const end = headerEnd + count * ENTRY_BYTES;
  if (bytes.length !== end + 4 || bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))) {
    return null;
  }
  const header = JSON.parse(bytes.toString("utf8", headEnd, headerEnd)) as {
    streams: [string, [number, number][]][];
    requests: [string, string][];
  };
  const recent = new RecentKeys();
  const keys = wordsOf(bytes, headerEnd, count * KEY_WORDS);
  const checksums = wordsOf(bytes, headerEnd + count * KEY_BYTES, count);
  for (let i = 0; i < count; i++) {
    recent.add(keys.subarray(i * KEY_WORDS, (i + 1) * KEY_WORDS), checksums[i] as number);
  }
  return new SeenRecords(
    new Map(header.streams.map(([key, intervals]) => [key, new IntervalSet(intervals)])),
    recent,
    new Map(header.requests.map(([name, receivedNano]) => [name, BigInt(receivedNano)])),
  );
}

/** A copy: what lies in a file is not aligned. */
function wordsOf(bytes: Buffer, start: number, count: number): Uint32Array {
  const words = new Uint32Array(count);
  asBytes(words).set(bytes.subarray(start, start + count * 4));
  return words;
}
