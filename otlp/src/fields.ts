import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT, type WireReader } from "./wire.js";

// Tags and field numbers of the OTLP logs messages: opentelemetry-proto logs/v1/logs.proto,
// common/v1/common.proto, resource/v1/resource.proto.

/** Builds a tag; a known field sent with another wire type has another tag and falls to {@link unknownField}. */
const tagOf = (field: number, wireType: number) => (field << 3) | wireType;

export const RESOURCE_LOGS = tagOf(1, WIRE_BYTES);
export const RL_RESOURCE = tagOf(1, WIRE_BYTES);
export const RL_SCOPE_LOGS = tagOf(2, WIRE_BYTES);
export const SL_SCOPE = tagOf(1, WIRE_BYTES);
export const SL_LOG_RECORDS = tagOf(2, WIRE_BYTES);
export const GROUP_SCHEMA_URL = tagOf(3, WIRE_BYTES);
export const SCOPE_NAME = tagOf(1, WIRE_BYTES);
export const SCOPE_VERSION = tagOf(2, WIRE_BYTES);
export const SCOPE_ATTRIBUTES = tagOf(3, WIRE_BYTES);
export const SCOPE_DROPPED = tagOf(4, WIRE_VARINT);
export const RESOURCE_ATTRIBUTES = tagOf(1, WIRE_BYTES);
export const RESOURCE_DROPPED = tagOf(2, WIRE_VARINT);
export const LR_TIME = tagOf(1, WIRE_FIXED64);
export const LR_SEVERITY_NUMBER = tagOf(2, WIRE_VARINT);
export const LR_SEVERITY_TEXT = tagOf(3, WIRE_BYTES);
export const LR_BODY = tagOf(5, WIRE_BYTES);
export const LR_ATTRIBUTES = tagOf(6, WIRE_BYTES);
export const LR_DROPPED = tagOf(7, WIRE_VARINT);
export const LR_FLAGS = tagOf(8, WIRE_FIXED32);
export const LR_TRACE_ID = tagOf(9, WIRE_BYTES);
export const LR_SPAN_ID = tagOf(10, WIRE_BYTES);
export const LR_OBSERVED = tagOf(11, WIRE_FIXED64);
export const LR_EVENT_NAME = tagOf(12, WIRE_BYTES);
export const KV_KEY = tagOf(1, WIRE_BYTES);
export const KV_VALUE = tagOf(2, WIRE_BYTES);
export const ANY_STRING = tagOf(1, WIRE_BYTES);
export const ANY_BOOL = tagOf(2, WIRE_VARINT);
export const ANY_INT = tagOf(3, WIRE_VARINT);
export const ANY_DOUBLE = tagOf(4, WIRE_FIXED64);
export const ANY_ARRAY = tagOf(5, WIRE_BYTES);
export const ANY_KVLIST = tagOf(6, WIRE_BYTES);
export const ANY_BYTES = tagOf(7, WIRE_BYTES);
export const LIST_VALUES = tagOf(1, WIRE_BYTES);

// The fields that each message defines with a fixed wire type. Deprecated and profile-only fields
// (`*_strindex`, `entity_refs`) are left out on purpose: they are skipped, never fatal.
export const REQUEST_FIELDS = [1];
export const RESOURCE_LOGS_FIELDS = [1, 2, 3];
export const RESOURCE_FIELDS = [1, 2];
export const SCOPE_LOGS_FIELDS = [1, 2, 3];
export const SCOPE_FIELDS = [1, 2, 3, 4];
export const LOG_RECORD_FIELDS = [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12];
export const KEY_VALUE_FIELDS = [1, 2];
export const ANY_VALUE_FIELDS = [1, 2, 3, 4, 5, 6, 7];
export const LIST_FIELDS = [1];

/** Skips a field that the message does not define; a defined one that lands here had a wrong wire type. */
export function unknownField(
  reader: WireReader,
  tag: number,
  end: number,
  known: readonly number[],
): void {
  if (known.includes(tag >>> 3)) {
    reader.fail(`field ${tag >>> 3} has wire type ${tag & 7}: this is not an OTLP logs request`);
  }
  reader.skip(tag, end);
}
