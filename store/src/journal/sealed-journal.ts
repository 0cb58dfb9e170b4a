import zlib, { crc32 } from "node:zlib";
import { type Disk, readRange } from "./disk.js";
import { decodeFileHeader, FILE_HEADER_BYTES, type VersionedHeader } from "./format.js";
import type { FrameSource } from "./frame-source.js";
import { journalCorrupt } from "./journal-corrupt.js";

// Byte layout: docs/journal-format.md, Sealed files.

/** Where one gzip member stands: whole frames, in order. */
export interface Member {
  /** Sequence of the member's first frame. */
  firstSeq: bigint;
  /** Offset of its content in the plain file. */
  plainOffset: number;
  /** Offset of the member in the sealed file. */
  offset: number;
}

/** What a sealed file says of itself in its last member. */
export interface SealedIndex {
  /** The plain file's header. */
  header: Buffer;
  plainBytes: number;
  /** Sequence that follows the file's last record. */
  nextSeq: bigint;
  members: Member[];
}

const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]);
/** An empty deflate block, the CRC of nothing, the size of nothing. */
const EMPTY_CONTENT = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const SUBFIELD_ID = Buffer.from("AJ");
const FIXED_BYTES = FILE_HEADER_BYTES + 16;
const MEMBER_BYTES = 24;
/** CRC-32 and length of the index. */
const TAIL_BYTES = 8;
/** What a gzip extra field leaves for members: beyond it a sealer must make larger ones. */
export const MAX_MEMBERS = Math.floor((0xffff - 4 - FIXED_BYTES - TAIL_BYTES) / MEMBER_BYTES);

/** Writes the last gzip member: without content, the index in its extra field, so that gzip readers pass over it. */
export function encodeIndex(index: SealedIndex): Buffer {
  const data = Buffer.alloc(FIXED_BYTES + index.members.length * MEMBER_BYTES + TAIL_BYTES);
  index.header.copy(data);
  data.writeBigUInt64LE(index.nextSeq, FILE_HEADER_BYTES);
  data.writeBigUInt64LE(BigInt(index.plainBytes), FILE_HEADER_BYTES + 8);
  index.members.forEach(({ firstSeq, plainOffset, offset }, i) => {
    const at = FIXED_BYTES + i * MEMBER_BYTES;
    data.writeBigUInt64LE(firstSeq, at);
    data.writeBigUInt64LE(BigInt(plainOffset), at + 8);
    data.writeBigUInt64LE(BigInt(offset), at + 16);
  });
  const end = data.length - TAIL_BYTES;
  data.writeUInt32LE(crc32(data.subarray(0, end)), end);
  data.writeUInt32LE(data.length, end + 4);
  const extra = Buffer.alloc(6);
  extra.writeUInt16LE(4 + data.length, 0);
  SUBFIELD_ID.copy(extra, 2);
  extra.writeUInt16LE(data.length, 4);
  return Buffer.concat([GZIP_HEAD, extra, data, EMPTY_CONTENT]);
}

/** Reads the index from the end of a sealed file; `null` when the file is not whole. */
function readIndex(disk: Disk, fd: number): SealedIndex | null {
  const end = disk.fstatSync(fd).size - EMPTY_CONTENT.length;
  if (end < FIXED_BYTES + TAIL_BYTES) return null;
  const tail = readRange(disk, fd, end - TAIL_BYTES, end);
  const length = tail.readUInt32LE(4);
  if (length > end || length < FIXED_BYTES + TAIL_BYTES) return null;
  const data = readRange(disk, fd, end - length, end - TAIL_BYTES);
  if (crc32(data) !== tail.readUInt32LE(0)) return null;
  const members: Member[] = [];
  for (let at = FIXED_BYTES; at + MEMBER_BYTES <= data.length; at += MEMBER_BYTES) {
    members.push({
      firstSeq: data.readBigUInt64LE(at),
      plainOffset: Number(data.readBigUInt64LE(at + 8)),
      offset: Number(data.readBigUInt64LE(at + 16)),
    });
  }
  return {
    header: data.subarray(0, FILE_HEADER_BYTES),
    nextSeq: data.readBigUInt64LE(FILE_HEADER_BYTES),
    plainBytes: Number(data.readBigUInt64LE(FILE_HEADER_BYTES + 8)),
    members,
  };
}

/** Reads a sealed journal file, one member in memory at a time. */
export class SealedSource implements FrameSource {
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #path: string;
  readonly #index: SealedIndex;
  #content = Buffer.alloc(0);
  #current: Member | null = null;

  constructor(disk: Disk, fd: number, path: string, index: SealedIndex) {
    this.#disk = disk;
    this.#fd = fd;
    this.#path = path;
    this.#index = index;
  }

  size(): number {
    return this.#index.plainBytes;
  }

  /** No frame goes on past the end of a member. @throws AuditError `journal_corrupt` */
  read(offset: number, length: number): Buffer {
    if (offset >= this.#index.plainBytes) return Buffer.alloc(0);
    const { members } = this.#index;
    const at = lastAtOrBefore(members, (member) => member.plainOffset <= offset);
    const member = members[at] as Member;
    if (member !== this.#current) {
      this.#content = this.#inflate(member, members[at + 1]?.offset ?? this.#membersEnd());
      this.#current = member;
    }
    const start = offset - member.plainOffset;
    return this.#content.subarray(start, start + length);
  }

  seek(seq: bigint): number {
    const at = lastAtOrBefore(this.#index.members, (member) => member.firstSeq <= seq);
    // The first member starts with the file's header.
    return at === 0 ? FILE_HEADER_BYTES : (this.#index.members[at] as Member).plainOffset;
  }

  close(): void {
    this.#disk.closeSync(this.#fd);
  }

  #inflate(member: Member, end: number): Buffer<ArrayBuffer> {
    try {
      return zlib.gunzipSync(readRange(this.#disk, this.#fd, member.offset, end));
    } catch (error) {
      const { message } = error as Error;
      throw journalCorrupt(this.#path, `the gzip member at ${member.offset}: ${message}`);
    }
  }

  #membersEnd(): number {
    return this.#disk.fstatSync(this.#fd).size - encodeIndex(this.#index).length;
  }
}

/** Opens a sealed file; `null` when it is not whole. */
export function openSealed(
  disk: Disk,
  fd: number,
  path: string,
): { header: VersionedHeader; source: SealedSource; nextSeq: bigint } | null {
  const index = readIndex(disk, fd);
  const header = index === null ? null : decodeFileHeader(index.header);
  if (index === null || header === null || index.members.length === 0) return null;
  return { header, source: new SealedSource(disk, fd, path, index), nextSeq: index.nextSeq };
}

/** Index of the last element for which the claim holds; it holds for a beginning of the list, at least for the first. */
function lastAtOrBefore<T>(sorted: readonly T[], holds: (element: T) => boolean): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(sorted[middle] as T)) low = middle;
    else high = middle - 1;
  }
  return low;
}
