import { asBuffer } from "./as-buffer.js";
import { varintBytes } from "./backward-writer.js";
import { RESOURCE_LOGS, RL_SCOPE_LOGS, SL_LOG_RECORDS } from "./fields.js";
import { WireReader } from "./wire.js";

/**
 * Copies a protobuf logs request without some of its records. What stays is copied as it stands on the
 * wire, unknown fields included; groups that hold no record any more stay, as empty groups.
 *
 * @param isKept asked once per record, in wire order
 */
export function spliceLogsRequest(bytes: Uint8Array, isKept: (index: number) => boolean): Buffer {
  let index = 0;
  const path = [RESOURCE_LOGS, RL_SCOPE_LOGS, SL_LOG_RECORDS];
  const reader = new WireReader(asBuffer(bytes));

  const copy = (end: number, level: number): Buffer => {
    const parts: Buffer[] = [];
    while (reader.position < end) {
      const fieldStart = reader.position;
      const tag = reader.tag();
      if (tag !== path[level]) {
        reader.skip(tag, end);
        parts.push(reader.bytes.subarray(fieldStart, reader.position));
        continue;
      }
      const stop = reader.end(end);
      if (level === path.length - 1) {
        reader.position = stop;
        if (isKept(index++)) parts.push(reader.bytes.subarray(fieldStart, stop));
        continue;
      }
      const inner = copy(stop, level + 1);
      parts.push(varintBytes(tag), varintBytes(inner.length), inner);
    }
    return Buffer.concat(parts);
  };

  return copy(bytes.length, 0);
}
