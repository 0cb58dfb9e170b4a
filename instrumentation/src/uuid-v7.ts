import { randomBytes } from "node:crypto";

/** Makes a UUIDv7: its first 48 bits are the time in ms, so ids sort as they were made. @see RFC 9562, 5.7 */
export function uuidV7(millis = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(millis, 0, 6);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
