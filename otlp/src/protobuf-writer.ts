import { type AnyValue, isKeyValueList, type KeyValue } from "./any-value.js";
import { BackwardWriter } from "./backward-writer.js";
import {
  ANY_ARRAY,
  ANY_BOOL,
  ANY_BYTES,
  ANY_DOUBLE,
  ANY_INT,
  ANY_KVLIST,
  ANY_STRING,
  GROUP_SCHEMA_URL,
  KV_KEY,
  KV_VALUE,
  LIST_VALUES,
  LR_ATTRIBUTES,
  LR_BODY,
  LR_DROPPED,
  LR_EVENT_NAME,
  LR_FLAGS,
  LR_OBSERVED,
  LR_SEVERITY_NUMBER,
  LR_SEVERITY_TEXT,
  LR_SPAN_ID,
  LR_TIME,
  LR_TRACE_ID,
  RESOURCE_ATTRIBUTES,
  RESOURCE_DROPPED,
  RESOURCE_LOGS,
  RL_RESOURCE,
  RL_SCOPE_LOGS,
  SCOPE_ATTRIBUTES,
  SCOPE_DROPPED,
  SCOPE_NAME,
  SCOPE_VERSION,
  SL_LOG_RECORDS,
  SL_SCOPE,
} from "./fields.js";
import type { LogRecord, LogsRequest, ResourceLogs, ScopeLogs } from "./logs.js";

/** Writes an `ExportLogsServiceRequest` as protobuf, fields in the order of their numbers. */
export function writeLogsRequest(request: LogsRequest): Buffer {
  const writer = new BackwardWriter();
  for (const group of reversed(request.resourceLogs)) {
    writer.message(RESOURCE_LOGS, () => resourceLogs(writer, group));
  }
  return writer.finish();
}

// Everything below runs from a message's last field to its first: see BackwardWriter.

function resourceLogs(writer: BackwardWriter, group: ResourceLogs): void {
  writer.text(GROUP_SCHEMA_URL, group.schemaUrl);
  for (const scopeGroup of reversed(group.scopeLogs)) {
    writer.message(RL_SCOPE_LOGS, () => scopeLogs(writer, scopeGroup));
  }
  const { resource } = group;
  if (resource === null) return;
  writer.message(RL_RESOURCE, () => {
    writer.uint(RESOURCE_DROPPED, resource.droppedAttributesCount);
    keyValues(writer, RESOURCE_ATTRIBUTES, resource.attributes);
  });
}

function scopeLogs(writer: BackwardWriter, group: ScopeLogs): void {
  writer.text(GROUP_SCHEMA_URL, group.schemaUrl);
  for (const record of reversed(group.logRecords)) {
    writer.message(SL_LOG_RECORDS, () => logRecord(writer, record));
  }
  const { scope } = group;
  if (scope === null) return;
  writer.message(SL_SCOPE, () => {
    writer.uint(SCOPE_DROPPED, scope.droppedAttributesCount);
    keyValues(writer, SCOPE_ATTRIBUTES, scope.attributes);
    writer.text(SCOPE_VERSION, scope.version);
    writer.text(SCOPE_NAME, scope.name);
  });
}

function logRecord(writer: BackwardWriter, record: LogRecord): void {
  writer.text(LR_EVENT_NAME, record.eventName);
  writer.fixed64(LR_OBSERVED, record.observedTimeUnixNano);
  writer.bytes(LR_SPAN_ID, Buffer.from(record.spanId, "hex"));
  writer.bytes(LR_TRACE_ID, Buffer.from(record.traceId, "hex"));
  writer.fixed32(LR_FLAGS, record.flags);
  writer.uint(LR_DROPPED, record.droppedAttributesCount);
  keyValues(writer, LR_ATTRIBUTES, record.attributes);
  if (record.body !== null) {
    writer.message(LR_BODY, () => anyValue(writer, record.body));
  }
  writer.text(LR_SEVERITY_TEXT, record.severityText);
  writer.int(LR_SEVERITY_NUMBER, BigInt(record.severityNumber));
  writer.fixed64(LR_TIME, record.timeUnixNano);
}

function keyValues(writer: BackwardWriter, tag: number, pairs: readonly KeyValue[]): void {
  for (const { key, value } of reversed(pairs)) {
    writer.message(tag, () => {
      writer.message(KV_VALUE, () => anyValue(writer, value));
      writer.text(KV_KEY, key);
    });
  }
}

/** Members of a oneof are written even when they hold the default: that is how they are told from unset. */
function anyValue(writer: BackwardWriter, value: AnyValue): void {
  if (value === null) return;
  if (typeof value === "string") writer.textAlways(ANY_STRING, value);
  else if (typeof value === "boolean") writer.varint(ANY_BOOL, value ? 1n : 0n);
  else if (typeof value === "bigint") writer.varint(ANY_INT, BigInt.asUintN(64, value));
  else if (typeof value === "number") writer.double(ANY_DOUBLE, value);
  else if (value instanceof Uint8Array) writer.bytesAlways(ANY_BYTES, value);
  else if (Array.isArray(value)) {
    writer.message(ANY_ARRAY, () => {
      for (const item of reversed(value)) writer.message(LIST_VALUES, () => anyValue(writer, item));
    });
  } else if (isKeyValueList(value)) {
    writer.message(ANY_KVLIST, () => keyValues(writer, LIST_VALUES, value.values));
  } else value satisfies never;
}

function* reversed<T>(items: readonly T[]): Generator<T> {
  for (let i = items.length - 1; i >= 0; i--) yield items[i] as T;
}
