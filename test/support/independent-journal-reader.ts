// A second reader of the journal, written from the page "Journal format, version 1" alone. It shares no code with the
// product, so that a test can hold one against the other. It works on bytes in memory and is made to be plain, not fast.
import { crc32, gunzipSync } from "node:zlib";

/** One file of a journal directory. */
export interface NamedBytes {
  name: string;
  bytes: Buffer;
}

/** One frame; `offset` is its place in the plain form of the file. */
export interface PageFrame {
  file: string;
  offset: number;
  kind: "records" | "quarantine" | "system";
  firstSeq: bigint;
  recordCount: number;
  syncedUpto: bigint;
  receivedNano: bigint;
  keyId: string;
  orgId: string;
  projectId: string;
  digest: Buffer;
  payload: Buffer;
}

/** What one file holds: its header, its valid frames up to the first bad place, and where (in the plain form) the good part ends. */
export interface PageFile {
  name: string;
  isSealed: boolean;
  version: number;
  storeId: string;
  firstSeq: bigint;
  segmentDay: number;
  salt: number;
  frames: PageFrame[];
  end: number;
  plainBytes: number;
}

interface Header {
  version: number;
  storeId: string;
  firstSeq: bigint;
  segmentDay: number;
  salt: number;
}
interface Entry {
  firstSeq: bigint;
  plainOffset: number;
  memberOffset: number;
}
interface Index {
  headerBytes: Buffer;
  header: Header;
  nextSeq: bigint;
  plainBytes: number;
  entries: Entry[];
  membersEnd: number;
}

const HEADER_BYTES = 44;
const SMALLEST_FRAME = 68;
const NAME = /^\d{20}\.journal(\.gz)?$/;
const KINDS = ["records", "quarantine", "system"] as const;
const SEALED_TAIL = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

const isGzip = (name: string): boolean => name.endsWith(".gz");

function fail(name: string, what: string): never {
  throw new Error(`${name}: ${what}`);
}

/** Reads all journal files of a directory, in order; names that are not part of the journal are passed over. */
export function readJournalFiles(files: readonly NamedBytes[]): PageFile[] {
  return journalFiles(files).map(({ name, bytes }) => {
    const plain = isGzip(name) ? unseal(name, bytes) : bytes;
    const header = readHeader(name, plain);
    const { frames, end } = readFrames(name, plain, header.salt, HEADER_BYTES, header.firstSeq, 0);
    if (isGzip(name)) checkFramesOfSealed(name, readIndex(name, bytes), frames, end);
    return { name, isSealed: isGzip(name), ...header, frames, end, plainBytes: plain.length };
  });
}

/** Finds the frame that holds a sequence, using a sealed file's index where the file is sealed. Null if there is none. */
export function findSequence(files: readonly NamedBytes[], seq: bigint): PageFrame | null {
  const file = journalFiles(files).findLast(({ name }) => BigInt(name.slice(0, 20)) <= seq);
  if (file === undefined) return null;
  const { name, bytes } = file;
  let frames: PageFrame[];
  if (isGzip(name)) {
    const index = readIndex(name, bytes);
    const at = index.entries.findLastIndex((entry) => entry.firstSeq <= seq);
    const entry = index.entries[at];
    if (entry === undefined || seq >= index.nextSeq) return null;
    const content = readMember(name, bytes, index, at);
    const from = at === 0 ? HEADER_BYTES : 0;
    frames = readFrames(
      name,
      content,
      index.header.salt,
      from,
      entry.firstSeq,
      entry.plainOffset,
    ).frames;
  } else {
    const header = readHeader(name, bytes);
    frames = readFrames(name, bytes, header.salt, HEADER_BYTES, header.firstSeq, 0).frames;
  }
  return (
    frames.find(
      (frame) => frame.firstSeq <= seq && seq < frame.firstSeq + BigInt(frame.recordCount),
    ) ?? null
  );
}

/** The files that belong to the journal, in order. Where both forms of one file are there, the plain one counts. */
function journalFiles(files: readonly NamedBytes[]): NamedBytes[] {
  const plainNames = new Set(files.map((file) => file.name).filter((name) => !isGzip(name)));
  return files
    .filter(({ name }) => NAME.test(name) && !(isGzip(name) && plainNames.has(name.slice(0, -3))))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readHeader(name: string, bytes: Buffer): Header {
  if (bytes.length < HEADER_BYTES) fail(name, `${bytes.length} bytes are no whole header`);
  if (bytes.toString("latin1", 0, 8) !== "AGAUDJNL") fail(name, "the header's magic is wrong");
  if (crc32(bytes.subarray(0, 40)) !== bytes.readUInt32LE(40))
    fail(name, "the header's CRC is wrong");
  const version = bytes.readUInt32LE(8);
  if (version !== 1) fail(name, `version ${version} is not known`);
  const firstSeq = bytes.readBigUInt64LE(24);
  if (firstSeq !== BigInt(name.slice(0, 20)))
    fail(name, `the header's first sequence ${firstSeq} is not the name's`);
  const storeId = bytes.toString("latin1", 12, 24);
  return {
    version,
    storeId,
    firstSeq,
    segmentDay: bytes.readUInt32LE(32),
    salt: bytes.readUInt32LE(36),
  };
}

/** Reads frames from `from` on, up to the first that is not valid or not the expected one; `base` is the plain offset of byte 0. */
function readFrames(
  file: string,
  bytes: Buffer,
  salt: number,
  from: number,
  firstSeq: bigint,
  base: number,
): { frames: PageFrame[]; end: number } {
  const frames: PageFrame[] = [];
  let at = from;
  let expected = firstSeq;
  for (;;) {
    const size = validFrameSize(bytes, at, salt);
    if (size === 0 || bytes.readBigUInt64LE(at + 24) !== expected)
      return { frames, end: base + at };
    const frame = decodeFrame(file, bytes.subarray(at, at + size), base + at);
    frames.push(frame);
    expected += BigInt(frame.recordCount);
    at += size;
  }
}

/** The size of the valid frame at a place, 0 if there is none. */
function validFrameSize(bytes: Buffer, at: number, salt: number): number {
  if (at + SMALLEST_FRAME > bytes.length || bytes.toString("latin1", at, at + 4) !== "AAFR")
    return 0;
  if (crc32(bytes.subarray(at, at + 36), salt) !== bytes.readUInt32LE(at + 36)) return 0;
  const size = bytes.readUInt32LE(at + 4) + 8;
  if (size < SMALLEST_FRAME || at + size > bytes.length) return 0;
  if (crc32(bytes.subarray(at, at + size - 4), salt) !== bytes.readUInt32LE(at + size - 4))
    return 0;
  if (KINDS[bytes.readUInt8(at + 8)] === undefined) return 0;
  const ids =
    bytes.readUInt16LE(at + 10) + bytes.readUInt16LE(at + 12) + bytes.readUInt16LE(at + 14);
  return 64 + ids <= size - 4 ? size : 0;
}

function decodeFrame(file: string, bytes: Buffer, offset: number): PageFrame {
  const kind = KINDS[bytes.readUInt8(8)] ?? fail(file, `unknown kind at ${offset}`);
  const orgAt = 64 + bytes.readUInt16LE(10);
  const projectAt = orgAt + bytes.readUInt16LE(12);
  const payloadAt = projectAt + bytes.readUInt16LE(14);
  return {
    file,
    offset,
    kind,
    firstSeq: bytes.readBigUInt64LE(24),
    recordCount: bytes.readUInt32LE(32),
    syncedUpto: bytes.readBigUInt64LE(16),
    receivedNano: bytes.readBigUInt64LE(40),
    keyId: bytes.toString("utf8", 64, orgAt),
    orgId: bytes.toString("utf8", orgAt, projectAt),
    projectId: bytes.toString("utf8", projectAt, payloadAt),
    digest: bytes.subarray(48, 64),
    payload: bytes.subarray(payloadAt, bytes.length - 4),
  };
}

/** The index of a sealed file, found from its end, checked in itself. */
function readIndex(name: string, bytes: Buffer): Index {
  if (bytes.length < 14 || !bytes.subarray(-10).equals(SEALED_TAIL))
    fail(name, "the end is not that of a sealed file");
  const length = bytes.readUInt32LE(bytes.length - 14);
  const start = bytes.length - 10 - length;
  const membersEnd = start - 16;
  if (membersEnd < 0 || length < 68 || (length - 68) % 24 !== 0)
    fail(name, `the index cannot have ${length} bytes`);
  const index = bytes.subarray(start, start + length);
  if (crc32(index.subarray(0, -8)) !== index.readUInt32LE(length - 8))
    fail(name, "the index's CRC is wrong");
  const lead = bytes.subarray(membersEnd, start); // the gzip header (flag: extra field), XLEN, the subfield's name and length
  if (lead.readUIntBE(0, 4) !== 0x1f8b0804 || lead.toString("latin1", 12, 14) !== "AJ")
    fail(name, "the index has no member of its own");
  if (lead.readUInt16LE(10) !== length + 4 || lead.readUInt16LE(14) !== length)
    fail(name, "the index's length is not its subfield's");
  const entries: Entry[] = [];
  for (let at = 60; at < length - 8; at += 24) {
    const [firstSeq, plainOffset, memberOffset] = [0, 8, 16].map((field) =>
      index.readBigUInt64LE(at + field),
    ) as [bigint, bigint, bigint];
    entries.push({
      firstSeq,
      plainOffset: Number(plainOffset),
      memberOffset: Number(memberOffset),
    });
  }
  const headerBytes = index.subarray(0, HEADER_BYTES);
  const plainBytes = Number(index.readBigUInt64LE(52));
  return {
    headerBytes,
    header: readHeader(name, headerBytes),
    nextSeq: index.readBigUInt64LE(44),
    plainBytes,
    entries,
    membersEnd,
  };
}

/** The content of one member; its bytes must be exactly one gzip member, and its content as long as the index says. */
function readMember(name: string, bytes: Buffer, index: Index, at: number): Buffer {
  const { memberOffset: start = 0, plainOffset = 0 } = index.entries[at] ?? {};
  const stop = index.entries[at + 1]?.memberOffset ?? index.membersEnd;
  if (stop - start < 18 || stop > index.membersEnd)
    fail(name, `member ${at} cannot lie from ${start} to ${stop}`);
  const member = bytes.subarray(start, stop);
  if (member.readUInt16BE(0) !== 0x1f8b)
    fail(name, `no gzip member starts at ${start}, where the index has member ${at}`);
  let content: Buffer;
  try {
    content = gunzipSync(member);
  } catch (error) {
    return fail(
      name,
      `member ${at}, from ${start} to ${stop}, does not decompress: ${String(error)}`,
    );
  }
  // gunzipSync takes several members for one and passes over what follows: the last 8 bytes show that this is one alone.
  const isAlone =
    crc32(content) === member.readUInt32LE(member.length - 8) &&
    content.length === member.readUInt32LE(member.length - 4);
  if (!isAlone)
    fail(
      name,
      `${start} to ${stop} is not exactly one gzip member, as the index has it for member ${at}`,
    );
  const length = (index.entries[at + 1]?.plainOffset ?? index.plainBytes) - plainOffset;
  if (content.length !== length)
    fail(
      name,
      `member ${at} has ${content.length} bytes of content, by the index's plain offsets ${length}`,
    );
  return content;
}

/** The plain form of a sealed file, after holding its index against its members. */
function unseal(name: string, bytes: Buffer): Buffer {
  const index = readIndex(name, bytes);
  const first = index.entries[0] ?? fail(name, "the index has no entry");
  if (first.memberOffset !== 0 || first.plainOffset !== 0)
    fail(name, "the index's first entry does not start at 0");
  const plain = Buffer.concat(index.entries.map((_, at) => readMember(name, bytes, index, at)));
  if (plain.length !== index.plainBytes)
    fail(name, `the content has ${plain.length} bytes, by the index ${index.plainBytes}`);
  if (!plain.subarray(0, HEADER_BYTES).equals(index.headerBytes))
    fail(name, "the index's copy of the header is not the content's");
  if (!gunzipSync(bytes).equals(plain))
    fail(name, "the whole file decompresses to something else than its members");
  return plain;
}

/** Only whole files are sealed: every frame must be good, each member must start with a frame, and the sequences must be the index's. */
function checkFramesOfSealed(
  name: string,
  index: Index,
  frames: readonly PageFrame[],
  end: number,
): void {
  if (end !== index.plainBytes) fail(name, `the frames end at ${end} of ${index.plainBytes} bytes`);
  const last = frames.at(-1);
  const next =
    last === undefined ? index.header.firstSeq : last.firstSeq + BigInt(last.recordCount);
  if (next !== index.nextSeq)
    fail(name, `sequence ${next} follows the last record, by the index ${index.nextSeq}`);
  const starts = new Map(frames.map((frame) => [frame.offset, frame.firstSeq]));
  index.entries.forEach((entry, at) => {
    const actual = at === 0 ? index.header.firstSeq : starts.get(entry.plainOffset);
    if (actual !== entry.firstSeq)
      fail(
        name,
        `member ${at} starts with sequence ${String(actual)}, by the index ${entry.firstSeq}`,
      );
  });
}
