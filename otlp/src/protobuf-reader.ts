import { type AnyValue, isKeyValueList, type KeyValue, MAX_ANY_VALUE_DEPTH } from "./any-value.js";
import { asBuffer } from "./as-buffer.js";
import * as field from "./fields.js";
import {
  emptyLogRecord,
  emptyResource,
  emptyScope,
  type InstrumentationScope,
  type LogRecord,
  type LogsRequest,
  type Resource,
  type ResourceLogs,
  type ScopeLogs,
} from "./logs.js";
import { StringPool } from "./string-pool.js";
import { isAllZero } from "./trace-id.js";
import { WireReader } from "./wire.js";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/**
 * Reads an `ExportLogsServiceRequest` from protobuf.
 *
 * Follows what protobuf asks of a reader: unknown fields and groups are skipped, repeated singular
 * messages merge, the last scalar and the last member of a oneof win. Ids of a wrong length or all zero
 * read as absent; invalid UTF-8 reads as U+FFFD.
 *
 * @throws MalformedRequestError `malformed_protobuf` on a wire fault, on a known field with a wrong wire
 *   type and on an AnyValue nested deeper than {@link MAX_ANY_VALUE_DEPTH}
 */
export function readLogsRequest(bytes: Uint8Array): LogsRequest {
  const request: LogsRequest = { resourceLogs: [] };
  const reader = new WireReader(asBuffer(bytes));
  const end = bytes.length;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === field.RESOURCE_LOGS)
      request.resourceLogs.push(resourceLogs(reader, reader.element(end)));
    else field.unknownField(reader, tag, end, field.REQUEST_FIELDS);
  }
  reader.expectEnd(end);
  return request;
}

/** Reads one AnyValue message that lies at `[start, end)` of `bytes`. */
export function readAnyValue(bytes: Uint8Array, start: number, end: number): AnyValue {
  return anyValue(new WireReader(asBuffer(bytes), start), end, null, 1);
}

function resourceLogs(reader: WireReader, end: number): ResourceLogs {
  const group: ResourceLogs = { resource: null, scopeLogs: [], schemaUrl: "" };
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === field.RL_SCOPE_LOGS) group.scopeLogs.push(scopeLogs(reader, reader.element(end)));
    else if (tag === field.RL_RESOURCE) {
      group.resource ??= emptyResource();
      resource(reader, reader.end(end), group.resource);
    } else if (tag === field.GROUP_SCHEMA_URL) group.schemaUrl = text(reader, end);
    else field.unknownField(reader, tag, end, field.RESOURCE_LOGS_FIELDS);
  }
  reader.expectEnd(end);
  return group;
}

function resource(reader: WireReader, end: number, into: Resource): void {
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === field.RESOURCE_ATTRIBUTES)
      into.attributes.push(keyValue(reader, reader.element(end), 1));
    else if (tag === field.RESOURCE_DROPPED) into.droppedAttributesCount = reader.varint32();
    else field.unknownField(reader, tag, end, field.RESOURCE_FIELDS);
  }
  reader.expectEnd(end);
}

function scopeLogs(reader: WireReader, end: number): ScopeLogs {
  const group: ScopeLogs = { scope: null, logRecords: [], schemaUrl: "" };
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === field.SL_LOG_RECORDS) group.logRecords.push(logRecord(reader, reader.element(end)));
    else if (tag === field.SL_SCOPE) {
      group.scope ??= emptyScope();
      scope(reader, reader.end(end), group.scope);
    } else if (tag === field.GROUP_SCHEMA_URL) group.schemaUrl = text(reader, end);
    else field.unknownField(reader, tag, end, field.SCOPE_LOGS_FIELDS);
  }
  reader.expectEnd(end);
  return group;
}

function scope(reader: WireReader, end: number, into: InstrumentationScope): void {
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === field.SCOPE_NAME) into.name = text(reader, end);
    else if (tag === field.SCOPE_VERSION) into.version = text(reader, end);
    else if (tag === field.SCOPE_ATTRIBUTES)
      into.attributes.push(keyValue(reader, reader.element(end), 1));
    else if (tag === field.SCOPE_DROPPED) into.droppedAttributesCount = reader.varint32();
    else field.unknownField(reader, tag, end, field.SCOPE_FIELDS);
  }
  reader.expectEnd(end);
}

function logRecord(reader: WireReader, end: number): LogRecord {
  const record = emptyLogRecord();
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case field.LR_ATTRIBUTES:
        record.attributes.push(keyValue(reader, reader.element(end), 1));
        break;
      case field.LR_TIME:
        record.timeUnixNano = reader.fixed64(end);
        break;
      case field.LR_OBSERVED:
        record.observedTimeUnixNano = reader.fixed64(end);
        break;
      case field.LR_SEVERITY_NUMBER:
        record.severityNumber = reader.varint32() | 0;
        break;
      case field.LR_SEVERITY_TEXT:
        record.severityText = text(reader, end);
        break;
      case field.LR_BODY:
        record.body = anyValue(reader, reader.end(end), record.body ?? null, 1);
        break;
      case field.LR_DROPPED:
        record.droppedAttributesCount = reader.varint32();
        break;
      case field.LR_FLAGS:
        record.flags = reader.fixed32(end);
        break;
      case field.LR_TRACE_ID:
        record.traceId = id(reader, end, TRACE_ID_BYTES);
        break;
      case field.LR_SPAN_ID:
        record.spanId = id(reader, end, SPAN_ID_BYTES);
        break;
      case field.LR_EVENT_NAME:
        record.eventName = text(reader, end);
        break;
      default:
        field.unknownField(reader, tag, end, field.LOG_RECORD_FIELDS);
    }
  }
  reader.expectEnd(end);
  return record;
}

function keyValue(reader: WireReader, end: number, depth: number): KeyValue {
  let key = "";
  let value: AnyValue = null;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === field.KV_KEY) key = pooledText(reader, end);
    else if (tag === field.KV_VALUE) value = anyValue(reader, reader.end(end), value, depth);
    else field.unknownField(reader, tag, end, field.KEY_VALUE_FIELDS);
  }
  reader.expectEnd(end);
  return { key, value };
}

/** Reads one AnyValue; `before` is what an earlier occurrence of the same field held, since messages merge. */
function anyValue(reader: WireReader, end: number, before: AnyValue, depth: number): AnyValue {
  if (depth > MAX_ANY_VALUE_DEPTH) {
    reader.fail(`an AnyValue nests deeper than ${MAX_ANY_VALUE_DEPTH}`);
  }
  let value = before;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case field.ANY_STRING:
        value = text(reader, end);
        break;
      case field.ANY_BOOL:
        value = reader.varint64() !== 0n;
        break;
      case field.ANY_INT:
        value = BigInt.asIntN(64, reader.varint64());
        break;
      case field.ANY_DOUBLE:
        value = reader.double(end);
        break;
      case field.ANY_ARRAY:
        value = arrayValue(reader, reader.end(end), Array.isArray(value) ? value : [], depth);
        break;
      case field.ANY_KVLIST: {
        const values = isKeyValueList(value) ? value.values : [];
        value = kvlistValue(reader, reader.end(end), values, depth);
        break;
      }
      case field.ANY_BYTES: {
        const stop = reader.end(end);
        value = new Uint8Array(reader.bytes.subarray(reader.position, stop));
        reader.position = stop;
        break;
      }
      default:
        field.unknownField(reader, tag, end, field.ANY_VALUE_FIELDS);
    }
  }
  reader.expectEnd(end);
  return value;
}

function arrayValue(
  reader: WireReader,
  end: number,
  values: AnyValue[],
  depth: number,
): AnyValue[] {
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === field.LIST_VALUES)
      values.push(anyValue(reader, reader.element(end), null, depth + 1));
    else field.unknownField(reader, tag, end, field.LIST_FIELDS);
  }
  reader.expectEnd(end);
  return values;
}

function kvlistValue(
  reader: WireReader,
  end: number,
  values: KeyValue[],
  depth: number,
): { values: KeyValue[] } {
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === field.LIST_VALUES) values.push(keyValue(reader, reader.element(end), depth + 1));
    else field.unknownField(reader, tag, end, field.LIST_FIELDS);
  }
  reader.expectEnd(end);
  return { values };
}

const keys = new StringPool();

function pooledText(reader: WireReader, limit: number): string {
  const end = reader.end(limit);
  const key = keys.get(reader.bytes, reader.position, end);
  reader.position = end;
  return key;
}

function text(reader: WireReader, limit: number): string {
  const end = reader.end(limit);
  const value = reader.bytes.toString("utf8", reader.position, end);
  reader.position = end;
  return value;
}

function id(reader: WireReader, limit: number, size: number): string {
  const end = reader.end(limit);
  const start = reader.position;
  reader.position = end;
  if (end - start !== size) return "";
  const hex = reader.bytes.toString("hex", start, end);
  return isAllZero(hex) ? "" : hex;
}
