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
    // What stays together is one part, however many fields it has.
    let keptFrom = reader.position;
    const keep = (to: number) => {
      if (to > keptFrom) parts.push(reader.bytes.subarray(keptFrom, to));
    };
    while (reader.position < end) {
      const fieldStart = reader.position;
      const tag = reader.tag();
      if (tag !== path[level]) {
        reader.skip(tag, end);
        continue;
      }
      const stop = reader.end(end);
      if (level === path.length - 1) {
        reader.position = stop;
        if (isKept(index++)) continue;
        keep(fieldStart);
      } else {
        keep(fieldStart);
        const inner = copy(stop, level + 1);
        parts.push(varintBytes(tag), varintBytes(inner.length), inner);
      }
      keptFrom = reader.position;
    }
    keep(end);
    return Buffer.concat(parts);
  };

  return copy(bytes.length, 0);
}
