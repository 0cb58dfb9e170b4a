import { createHash } from "node:crypto";
import zlib from "node:zlib";
import {
  asBuffer,
  type Encoding,
  type LogsScan,
  MAX_ELEMENTS,
  MalformedRequestError,
  type RecordFaultCode,
  readLogsRequestJson,
  spliceLogsRequest,
  writeLogsRequest,
} from "@agent-audit/otlp";
import { DIGEST_BYTES, identityScanner } from "@agent-audit/store";
import { joinBlocks } from "./body-blocks.js";
import { type ClaimCode, findFalseClaims } from "./claims.js";
import type { Sender } from "./sender.js";

/** What arrived, before anything is known of it. */
export interface ReceivedBody {
  /** The body as it came, in order. */
  blocks: readonly Uint8Array[];
  encoding: Encoding;
  /** `Content-Encoding`, as sent; `""` for none. */
  contentEncoding: string;
  /** Limit after decompression. */
  maxBodyBytes: number;
  sender: Sender;
}

/** Names why something was set aside; counters are named by it. */
export type FaultCode = RecordFaultCode | ClaimCode | "server_fault";

/** A record, or a whole body, that cannot be stored as an event. */
export interface Fault {
  code: FaultCode;
  reason: string;
  bytes: Uint8Array;
}

/** What a body turned out to be. */
export type Admission =
  | {
      status: "admitted";
      /** One protobuf ExportLogsServiceRequest with the sound records only. */
      payload: Uint8Array;
      /** Of `payload`, by `identityScanner`. */
      scan: LogsScan;
      faults: Fault[];
      /** Records that were kept with a value out of range or ill-formed text replaced. */
      repairedCount: number;
      /** Bytes of the body after decompression. */
      bodyBytes: number;
      /** First 16 bytes of the SHA-256 of the decompressed body; costs as much as the scan, so it is made when asked for. */
      digest: () => Uint8Array;
    }
  | { status: "refused"; httpStatus: 400 | 413 | 415; reason: string };

const MIN_GZIP_BYTES = 18;
const MIN_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
/** Log records compress five to twenty times. */
const MAX_USUAL_RATIO = 32;

type Decompress = (
  body: Uint8Array,
  options: { maxOutputLength: number; chunkSize: number },
) => Buffer;

/** zstd came to Node with 22.15: Rust's SDK sends it, so it is taken where the runtime has it. */
const zstd = (zlib as { zstdDecompressSync?: Decompress }).zstdDecompressSync;

const DECOMPRESSORS: Readonly<Record<string, Decompress>> = {
  gzip: zlib.gunzipSync,
  "x-gzip": zlib.gunzipSync,
  deflate: zlib.inflateSync,
  ...(zstd === undefined ? {} : { zstd }),
};

/** The codings that are understood, for `Accept-Encoding`. */
export const ACCEPTED_ENCODINGS = ["identity", ...Object.keys(DECOMPRESSORS)].join(", ");

/** Turns a body into what the journal stores. Runs on the journal's thread, synchronously. */
export function admit(received: ReceivedBody): Admission {
  const body = decompress(received);
  if ("status" in body) return body;
  const { bytes } = body;
  const digest = () => createHash("sha256").update(bytes).digest().subarray(0, DIGEST_BYTES);
  try {
    const logs = received.encoding === "json" ? readJson(bytes) : readProtobuf(bytes);
    const checked = withoutFalseClaims(logs, received.sender);
    return { status: "admitted", bodyBytes: bytes.length, digest, ...checked };
  } catch (error) {
    if (error instanceof MalformedRequestError) {
      const httpStatus = error.code.startsWith("too_many") ? 413 : 400;
      return { status: "refused", httpStatus, reason: error.message };
    }
    // A fault of ours. A 503 would let this body block the sender's queue for ever, so it is kept and skipped.
    const reason = `the server could not read the body: ${(error as Error).message}`;
    return {
      status: "admitted",
      payload: new Uint8Array(),
      scan: scanner.scan(new Uint8Array()),
      faults: [{ code: "server_fault", reason, bytes }],
      repairedCount: 0,
      bodyBytes: bytes.length,
      digest,
    };
  }
}

function decompress(received: ReceivedBody): { bytes: Uint8Array } | Admission {
  const { maxBodyBytes } = received;
  const body = joinBlocks(received.blocks);
  const coding = received.contentEncoding.trim().toLowerCase();
  if (coding === "" || coding === "identity") return { bytes: body };
  const run = Object.hasOwn(DECOMPRESSORS, coding) ? DECOMPRESSORS[coding] : undefined;
  if (run === undefined) {
    const reason = `Content-Encoding ${coding.slice(0, 40)} is not supported; use ${ACCEPTED_ENCODINGS}`;
    return { status: "refused", httpStatus: 415, reason };
  }
  try {
    const chunkSize = chunkBytes(body, maxBodyBytes);
    return { bytes: run(body, { maxOutputLength: maxBodyBytes, chunkSize }) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      const reason = `the decompressed body has more than ${maxBodyBytes} bytes; send smaller batches`;
      return { status: "refused", httpStatus: 413, reason };
    }
    const reason = `the body is not valid ${coding}: ${(error as Error).message}`;
    return { status: "refused", httpStatus: 400, reason };
  }
}

/**
 * Says how much to decompress at once: what a gzip body says of its size in its last four bytes, so that the
 * usual body comes in one piece. That is not believed beyond a bound, nor need it be right: other codings have
 * something else there.
 */
function chunkBytes(body: Uint8Array, maxBodyBytes: number): number {
  if (body.length < MIN_GZIP_BYTES) return MIN_CHUNK_BYTES;
  const claimed = asBuffer(body).readUInt32LE(body.length - 4) + 1;
  const bound = Math.min(MAX_CHUNK_BYTES, maxBodyBytes, body.length * MAX_USUAL_RATIO);
  return Math.max(MIN_CHUNK_BYTES, Math.min(claimed, bound));
}

interface Logs {
  payload: Uint8Array;
  scan: LogsScan;
  faults: Fault[];
  repairedCount: number;
}

const scanner = identityScanner();

function readProtobuf(bytes: Uint8Array): Logs {
  const scan = scanner.scan(bytes, MAX_ELEMENTS);
  const logs = { payload: bytes, scan, faults: [], repairedCount: 0 };
  return withoutRecords(logs, scan.faults);
}

function withoutFalseClaims(logs: Logs, sender: Sender): Logs {
  return withoutRecords(logs, findFalseClaims(logs.payload, logs.scan, sender));
}

/** Takes the faulty records out of a request. */
function withoutRecords(
  logs: Logs,
  faulty: readonly { index: number; code: FaultCode; reason: string }[],
): Logs {
  if (faulty.length === 0) return logs;
  const { starts, ends } = logs.scan;
  const bytes = asBuffer(logs.payload);
  const bad = new Set(faulty.map(({ index }) => index));
  const payload = spliceLogsRequest(bytes, (index) => !bad.has(index));
  const faults = faulty.map(({ index, code, reason }) => ({
    code,
    reason,
    bytes: bytes.subarray(starts[index], ends[index]),
  }));
  return {
    ...logs,
    payload,
    scan: scanner.scan(payload),
    faults: [...logs.faults, ...faults],
  };
}

/** JSON is transcoded, so that the journal knows one format. */
function readJson(bytes: Uint8Array): Logs {
  const { request, faults, repaired } = readLogsRequestJson(bytes);
  const payload = writeLogsRequest(request);
  return {
    payload,
    scan: scanner.scan(payload),
    repairedCount: repaired.length,
    faults: faults.map(({ code, reason, text }) => ({ code, reason, bytes: Buffer.from(text) })),
  };
}
