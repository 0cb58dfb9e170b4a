import { crc32 } from "node:zlib";
import type { QuarantinedBefore } from "../journal/quarantined-bytes.js";
import { RecentKeys } from "./recent-keys.js";
import { SeenRecords } from "./seen-records.js";
import { type StreamEntry, StreamSequences } from "./stream-sequences.js";

// Byte layout: docs/journal-format.md.

const MAGIC = Buffer.from("AAIDENT3");
const KEY_WORDS = 4;
const KEY_BYTES = KEY_WORDS * 4;
/** Characters of one text: all streams in one would at some number exceed what a string can hold. */
const TEXT_LENGTH = 1024 * 1024;

/** What a start must know of the journal, and would else have to read all of it for. */
export interface KnownAtStart {
  seen: SeenRecords;
  /** `null` where nothing is known. */
  quarantined: QuarantinedBefore | null;
}

/** Gives the bytes before the checksum, as a copy: what is known goes on changing. */
export function encodeIdentity({ seen, quarantined }: KnownAtStart): Uint8Array<ArrayBuffer> {
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
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
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

/** Gives the checksum that stands behind them. */
export function identityChecksum(bytes: Uint8Array): Buffer {
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(bytes));
  return crc;
}

/** Reads a file; `null` for one that is not whole. */
export function decodeIdentity(bytes: Buffer): KnownAtStart | null {
  const headEnd = MAGIC.length + 8;
  const end = bytes.length - 4;
  if (end < headEnd || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  if (!identityChecksum(bytes.subarray(0, end)).equals(bytes.subarray(end))) return null;
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
