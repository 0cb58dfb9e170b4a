import { crc32 } from "node:zlib";
import { asBuffer } from "@agent-audit/otlp";
import { fromHeaderWord, type SegmentId, toHeaderWord } from "../segment-id.js";

// Byte layout: docs/journal-format.md. All numbers are little-endian.

const FILE_MAGIC = Buffer.from("AGAUDJNL");
export const FORMAT_VERSION = 1;
export const STORE_ID_LENGTH = 12;
/** magic 8, version u32, store id 12, first seq u64, segment u32, salt u32, crc32 u32. */
export const FILE_HEADER_BYTES = 44;

export const FRAME_MAGIC = Buffer.from("AAFR");
/** magic 4, length u32: what the length does not count. */
const FRAME_PREFIX_BYTES = 8;
/** Checksum of the bytes before it: tells at once that no frame starts at a place, without reading its length. */
const HEAD_CRC_OFFSET = 36;
/** What must be read to tell whether a frame starts at a place. */
export const FRAME_HEAD_BYTES = HEAD_CRC_OFFSET + 4;
const FIXED_BYTES = 64;
const CRC_BYTES = 4;
/** A frame without ids and payload. */
export const EMPTY_FRAME_BYTES = FIXED_BYTES + CRC_BYTES;
/** Kept of a body's SHA-256. */
export const DIGEST_BYTES = 16;

/** Tells what a frame's payload is. */
export const FRAME_KINDS = ["records", "quarantine", "system"] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

/** Heads one journal file. */
export interface FileHeader {
  storeId: string;
  /** Sequence of the first record that the file can hold. */
  firstSeq: bigint;
  /** Segment that the file's records belong to. */
  segment: SegmentId;
  /**
   * Random start value of the file's checksums. A payload is bytes of a client: without it, a client could
   * send what passes for a frame when a torn write is searched for the next whole one.
   */
  salt: number;
}

/** A header as it stands in a file. */
export interface VersionedHeader extends FileHeader {
  version: number;
}

/** Describes one frame: one accepted request, or what was set aside from one. */
export interface Frame {
  kind: FrameKind;
  /** Highest sequence known to be synced when the frame was written; 0 for none. */
  syncedUpto: bigint;
  /** Sequence of the first record; the next record's on a frame that takes none. */
  firstSeq: bigint;
  recordCount: number;
  /** ns since 1970 UTC */
  receivedNano: bigint;
  /** `""` for none, here and below. */
  keyId: string;
  orgId: string;
  projectId: string;
  /** At most 255 bytes. */
  agentId: string;
  /** First 16 bytes of the SHA-256 of the decoded request body; zeros where no request stands behind it. */
  digest: Uint8Array;
  payload: Uint8Array;
}

export function encodeFileHeader(header: FileHeader): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  FILE_MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.write(header.storeId, 12, STORE_ID_LENGTH, "latin1");
  bytes.writeBigUInt64LE(header.firstSeq, 24);
  bytes.writeUInt32LE(toHeaderWord(header.segment), 32);
  bytes.writeUInt32LE(header.salt, 36);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 40)), 40);
  return bytes;
}

/** Reads a file header; `null` when it is cut off or damaged. */
export function decodeFileHeader(bytes: Buffer): VersionedHeader | null {
  if (bytes.length < FILE_HEADER_BYTES) return null;
  if (!bytes.subarray(0, 8).equals(FILE_MAGIC)) return null;
  if (bytes.readUInt32LE(40) !== crc32(bytes.subarray(0, 40))) return null;
  return {
    version: bytes.readUInt32LE(8),
    storeId: bytes.toString("latin1", 12, 12 + STORE_ID_LENGTH),
    firstSeq: bytes.readBigUInt64LE(24),
    segment: fromHeaderWord(bytes.readUInt32LE(32)),
    salt: bytes.readUInt32LE(36),
  };
}

/** Writes a frame as the pieces of one gathered write, so that the payload is not copied. */
export function encodeFrame(frame: Frame, salt: number): Buffer[] {
  const keyId = Buffer.from(frame.keyId);
  const orgId = Buffer.from(frame.orgId);
  const projectId = Buffer.from(frame.projectId);
  const agentId = Buffer.from(frame.agentId);
  const ids = Buffer.concat([keyId, orgId, projectId, agentId]);
  const head = Buffer.alloc(FIXED_BYTES + ids.length);
  const payload = asBuffer(frame.payload);
  FRAME_MAGIC.copy(head, 0);
  head.writeUInt32LE(head.length - FRAME_PREFIX_BYTES + payload.length + CRC_BYTES, 4);
  head.writeUInt8(FRAME_KINDS.indexOf(frame.kind), 8);
  head.writeUInt8(agentId.length, 9);
  head.writeUInt16LE(keyId.length, 10);
  head.writeUInt16LE(orgId.length, 12);
  head.writeUInt16LE(projectId.length, 14);
  head.writeBigUInt64LE(frame.syncedUpto, 16);
  head.writeBigUInt64LE(frame.firstSeq, 24);
  head.writeUInt32LE(frame.recordCount, 32);
  head.writeUInt32LE(crc32(head.subarray(0, HEAD_CRC_OFFSET), salt), HEAD_CRC_OFFSET);
  head.writeBigUInt64LE(frame.receivedNano, 40);
  head.set(frame.digest.subarray(0, DIGEST_BYTES), 48);
  ids.copy(head, FIXED_BYTES);
  const crc = Buffer.alloc(CRC_BYTES);
  crc.writeUInt32LE(crc32(payload, crc32(head, salt)));
  return [head, payload, crc];
}

/** What the head of a frame says of it. */
export interface FrameHead extends Pick<Frame, "kind" | "firstSeq" | "recordCount"> {
  /** Bytes of the whole frame. */
  length: number;
}

/** Reads the head of a frame, or gives `null` when `bytes` starts none. */
export function decodeHead(bytes: Buffer, salt: number): FrameHead | null {
  if (!bytes.subarray(0, FRAME_MAGIC.length).equals(FRAME_MAGIC)) return null;
  const crc = crc32(bytes.subarray(0, HEAD_CRC_OFFSET), salt);
  if (bytes.readUInt32LE(HEAD_CRC_OFFSET) !== crc) return null;
  const length = FRAME_PREFIX_BYTES + bytes.readUInt32LE(4);
  const kind = FRAME_KINDS[bytes.readUInt8(8)];
  if (length < EMPTY_FRAME_BYTES || kind === undefined) return null;
  return {
    kind,
    length,
    firstSeq: bytes.readBigUInt64LE(24),
    recordCount: bytes.readUInt32LE(32),
  };
}

/** Reads the frame that fills `bytes`; `null` when its checksum or its inner lengths are wrong. */
export function decodeFrame(bytes: Buffer, salt: number): Frame | null {
  const end = bytes.length - CRC_BYTES;
  if (crc32(bytes.subarray(0, end), salt) !== bytes.readUInt32LE(end)) return null;
  const kind = FRAME_KINDS[bytes.readUInt8(8)];
  const orgStart = FIXED_BYTES + bytes.readUInt16LE(10);
  const projectStart = orgStart + bytes.readUInt16LE(12);
  const agentStart = projectStart + bytes.readUInt16LE(14);
  const payloadStart = agentStart + bytes.readUInt8(9);
  if (kind === undefined || payloadStart > end) return null;
  return {
    kind,
    syncedUpto: bytes.readBigUInt64LE(16),
    firstSeq: bytes.readBigUInt64LE(24),
    recordCount: bytes.readUInt32LE(32),
    receivedNano: bytes.readBigUInt64LE(40),
    digest: bytes.subarray(48, 48 + DIGEST_BYTES),
    keyId: bytes.toString("utf8", FIXED_BYTES, orgStart),
    orgId: bytes.toString("utf8", orgStart, projectStart),
    projectId: bytes.toString("utf8", projectStart, agentStart),
    agentId: bytes.toString("utf8", agentStart, payloadStart),
    payload: bytes.subarray(payloadStart, end),
  };
}

/** Gives the sequence that follows a frame. */
export function nextSeqOf(frame: Pick<Frame, "firstSeq" | "recordCount">): bigint {
  return frame.firstSeq + BigInt(frame.recordCount);
}
