import path from "node:path";
import { crc32 } from "node:zlib";
import { type Disk, nodeDisk, readFile, replaceFile } from "../journal/disk.js";
import { journalNames } from "../journal/journal-files.js";
import { JournalReader } from "../journal/journal-reader.js";
import type { QuarantinedBefore } from "../journal/quarantined-bytes.js";
import { RecentKeys } from "./recent-keys.js";
import { identityScanner } from "./record-identity.js";
import { SeenRecords } from "./seen-records.js";
import { type StreamEntry, StreamSequences } from "./stream-sequences.js";

// Byte layout: docs/journal-format.md.

const MAGIC = Buffer.from("AAIDENT3");
const KEY_WORDS = 4;
const KEY_BYTES = KEY_WORDS * 4;
/** Characters of one text: all streams in one would at some number exceed what a string can hold. */
const TEXT_LENGTH = 1024 * 1024;
/** Of the synced files: the newest, and the one before it in case that one is damaged. */
const KEPT_FILES = 2;

/** What a start must know of the journal, and would else have to read all of it for. */
export interface KnownAtStart {
  seen: SeenRecords;
  /** `null` where nothing is known. */
  quarantined: QuarantinedBefore | null;
}

/**
 * Reads what a start must know: from the newest sound identity file and the frames after
 * it. Without such a file all frames are read.
 *
 * @param syncedSeq last sequence of the recovered journal
 */
export function loadKnownAtStart(
  journalDirectory: string,
  syncedSeq: bigint,
  disk: Disk = nodeDisk,
): KnownAtStart {
  let known: KnownAtStart = { seen: new SeenRecords(), quarantined: null };
  let fromSeq = journalNames(journalDirectory, disk)[0]?.firstSeq ?? 1n;
  for (const { file, firstSeq } of identityFiles(journalDirectory, disk)) {
    // It knows records that this journal has not, as when an older one was put in place by mistake.
    if (firstSeq > syncedSeq + 1n) continue;
    const read = decode(readFile(disk, file));
    if (read === null) continue;
    known = read;
    fromSeq = firstSeq;
    break;
  }
  const scanner = identityScanner();
  // What was dropped cannot be known again; whether it was is the engine's to check.
  const reader = new JournalReader(journalDirectory, fromSeq, disk, () => true);
  for (let next = reader.next(syncedSeq); next !== null; next = reader.next(syncedSeq)) {
    const { frame } = next;
    known.seen.classify({
      ...frame,
      digest: () => frame.digest,
      scan: scanner.scan(frame.payload),
    });
  }
  reader.close();
  return known;
}

/**
 * Writes what a start must know of all before `firstSeq`, and removes what is older: of the files at the beginning of a
 * journal file two stay. One that is newer knows records that are lost: it would take others of their sequences for known.
 *
 * @param isSynced `false` within a journal file, where it only gives a start after a crash less to read and ingest must
 *   not wait: a loss of power may damage it, and the one of the file's beginning counts
 */
export function saveKnownAtStart(
  journalDirectory: string,
  firstSeq: bigint,
  known: KnownAtStart,
  disk: Disk = nodeDisk,
  isSynced = true,
): void {
  const name = `${String(firstSeq).padStart(20, "0")}.ids`;
  replaceFile(disk, path.join(journalDirectory, name), encode(known), isSynced);
  const beginnings = new Set(journalNames(journalDirectory, disk).map(({ firstSeq }) => firstSeq));
  let synced = isSynced ? 1 : 0;
  for (const other of identityFiles(journalDirectory, disk)) {
    if (other.firstSeq === firstSeq) continue;
    const isOlder = other.firstSeq < firstSeq;
    if (isOlder && beginnings.has(other.firstSeq) && synced++ < KEPT_FILES) continue;
    disk.unlinkSync(other.file);
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

function encode({ seen, quarantined }: KnownAtStart): Buffer[] {
  const texts = [
    ...listTexts("streams", streamItems(seen.streams)),
    ...listTexts("requests", requestItems(seen.requests)),
    ...(quarantined === null
      ? []
      : [JSON.stringify({ quarantined: quarantinedItem(quarantined) })]),
  ];
  const head = Buffer.alloc(MAGIC.length + 8);
  MAGIC.copy(head);
  head.writeUInt32LE(texts.length, MAGIC.length);
  head.writeUInt32LE(seen.recent.size, MAGIC.length + 4);
  // As it lies in memory: the server runs on little-endian machines only, as the engine's vectors do.
  const parts = [head, ...texts.flatMap(withLength), ...seen.recent.views().map(asBytes)];
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(parts.reduce((sum, part) => crc32(part, sum), 0));
  return [...parts, crc];
}

type StreamItem = [streamKey: string, ...StreamEntry];
type RequestItem = [name: string, receivedNano: string];
type QuarantinedItem = Omit<QuarantinedBefore, "fileSeq"> & { fileSeq: string };

/** One text of the file. */
interface Text {
  streams?: StreamItem[];
  requests?: RequestItem[];
  quarantined?: QuarantinedItem;
}

function* streamItems(streams: SeenRecords["streams"]): Generator<StreamItem> {
  for (const [key, sequences] of streams) {
    for (const entry of sequences.entries()) yield [key, ...entry];
  }
}

function* requestItems(requests: SeenRecords["requests"]): Generator<RequestItem> {
  for (const [name, receivedNano] of requests) yield [name, String(receivedNano)];
}

function quarantinedItem({ fileSeq, ...rest }: QuarantinedBefore): QuarantinedItem {
  return { ...rest, fileSeq: String(fileSeq) };
}

/** Writes a list as texts of limited length. */
function* listTexts(name: keyof Text, items: Iterable<unknown>): Generator<string> {
  let parts: string[] = [];
  let length = 0;
  const text = () => `{"${name}":[${parts.join()}]}`;
  for (const item of items) {
    const part = JSON.stringify(item);
    parts.push(part);
    length += part.length;
    if (length < TEXT_LENGTH) continue;
    yield text();
    parts = [];
    length = 0;
  }
  if (parts.length > 0) yield text();
}

function withLength(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return [length, bytes];
}

function asBytes({ buffer, byteOffset, byteLength }: Uint32Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** `null` for a file that is not whole. */
function decode(bytes: Buffer): KnownAtStart | null {
  const headEnd = MAGIC.length + 8;
  const end = bytes.length - 4;
  if (end < headEnd || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  if (bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))) return null;
  const texts: Text[] = [];
  let at = headEnd;
  for (let left = bytes.readUInt32LE(MAGIC.length); left > 0; left--) {
    const textEnd = at + 4 + bytes.readUInt32LE(at);
    texts.push(JSON.parse(bytes.toString("utf8", at + 4, textEnd)));
    at = textEnd;
  }
  const count = bytes.readUInt32LE(MAGIC.length + 4);
  const recent = RecentKeys.from(
    wordsOf(bytes, at, count * KEY_WORDS),
    wordsOf(bytes, at + count * KEY_BYTES, count),
  );
  const requests = texts.flatMap(({ requests = [] }) => requests);
  const seen = new SeenRecords(
    streamsOf(texts.flatMap(({ streams = [] }) => streams)),
    recent,
    new Map(requests.map(([name, receivedNano]) => [name, BigInt(receivedNano)])),
  );
  const { quarantined } = texts.find(({ quarantined }) => quarantined !== undefined) ?? {};
  return {
    seen,
    quarantined:
      quarantined === undefined ? null : { ...quarantined, fileSeq: BigInt(quarantined.fileSeq) },
  };
}

/** Parts of one stream stand one behind the other. */
function streamsOf(items: readonly StreamItem[]): Map<string, StreamSequences> {
  const entries = new Map<string, StreamEntry[]>();
  for (const [streamKey, ...entry] of items) {
    const known = entries.get(streamKey);
    if (known === undefined) entries.set(streamKey, [entry]);
    else known.push(entry);
  }
  return new Map([...entries].map(([key, parts]) => [key, StreamSequences.from(parts)]));
}

/** A copy: what lies in a file is not aligned. */
function wordsOf(bytes: Buffer, start: number, count: number): Uint32Array {
  const words = new Uint32Array(count);
  asBytes(words).set(bytes.subarray(start, start + count * 4));
  return words;
}
