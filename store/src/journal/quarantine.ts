import { asBuffer } from "@agent-audit/otlp";

/** Carries what was set aside: why, and the bytes as they came (JSON text for JSON senders). */
export interface Quarantined {
  reason: string;
  bytes: Uint8Array;
}

/** Writes the payload of a `quarantine` frame: reason length u16, reason, bytes. */
export function encodeQuarantine({ reason, bytes }: Quarantined): Buffer {
  const text = Buffer.from(reason).subarray(0, 0xffff);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([length, text, bytes]);
}

/** Reads the payload of a `quarantine` frame. */
export function decodeQuarantine(payload: Uint8Array): Quarantined {
  const buffer = asBuffer(payload);
  const start = 2 + buffer.readUInt16LE(0);
  return { reason: buffer.toString("utf8", 2, start), bytes: buffer.subarray(start) };
}
