import { type AnyValue, isKeyValueList, type KeyValue } from "./any-value.js";
import { BackwardWriter } from "./backward-writer.js";
import * as field from "./fields.js";
import type { LogRecord, LogsRequest, ResourceLogs, ScopeLogs } from "./logs.js";

/** Writes an `ExportLogsServiceRequest` as protobuf, fields in the order of their numbers. */
export function writeLogsRequest(request: LogsRequest): Buffer {
  const writer = new BackwardWriter();
  for (const group of reversed(request.resourceLogs)) {
    writer.message(field.RESOURCE_LOGS, () => resourceLogs(writer, group));
  }
  return writer.finish();
}

// Everything below runs from a message's last field to its first: see BackwardWriter.

function resourceLogs(writer: BackwardWriter, group: ResourceLogs): void {
  writer.text(field.GROUP_SCHEMA_URL, group.schemaUrl);
  for (const scopeGroup of reversed(group.scopeLogs)) {
    writer.message(field.RL_SCOPE_LOGS, () => scopeLogs(writer, scopeGroup));
  }
  const { resource } = group;
  if (resource === null) return;
  writer.message(field.RL_RESOURCE, () => {
    writer.uint(field.RESOURCE_DROPPED, resource.droppedAttributesCount);
    keyValues(writer, field.RESOURCE_ATTRIBUTES, resource.attributes);
  });
}

function scopeLogs(writer: BackwardWriter, group: ScopeLogs): void {
  writer.text(field.GROUP_SCHEMA_URL, group.schemaUrl);
  for (const record of reversed(group.logRecords)) {
    writer.message(field.SL_LOG_RECORDS, () => logRecord(writer, record));
  }
  const { scope } = group;
  if (scope === null) return;
  writer.message(field.SL_SCOPE, () => {
    writer.uint(field.SCOPE_DROPPED, scope.droppedAttributesCount);
    keyValues(writer, field.SCOPE_ATTRIBUTES, scope.attributes);
    writer.text(field.SCOPE_VERSION, scope.version);
    writer.text(field.SCOPE_NAME, scope.name);
  });
}

function logRecord(writer: BackwardWriter, record: LogRecord): void {
  writer.text(field.LR_EVENT_NAME, record.eventName);
  writer.fixed64(field.LR_OBSERVED, record.observedTimeUnixNano);
  writer.bytes(field.LR_SPAN_ID, Buffer.from(record.spanId, "hex"));
  writer.bytes(field.LR_TRACE_ID, Buffer.from(record.traceId, "hex"));
  writer.fixed32(field.LR_FLAGS, record.flags);
  writer.uint(field.LR_DROPPED, record.droppedAttributesCount);
  keyValues(writer, field.LR_ATTRIBUTES, record.attributes);
  const { body } = record;
  if (body !== undefined) {
    writer.message(field.LR_BODY, () => anyValue(writer, body));
  }
  writer.text(field.LR_SEVERITY_TEXT, record.severityText);
  writer.int(field.LR_SEVERITY_NUMBER, BigInt(record.severityNumber));
  writer.fixed64(field.LR_TIME, record.timeUnixNano);
}

function keyValues(writer: BackwardWriter, tag: number, pairs: readonly KeyValue[]): void {
  for (const { key, value } of reversed(pairs)) {
    writer.message(tag, () => {
      writer.message(field.KV_VALUE, () => anyValue(writer, value));
      writer.text(field.KV_KEY, key);
    });
  }
}

/** Members of a oneof are written even when they hold the default: that is how they are told from unset. */
function anyValue(writer: BackwardWriter, value: AnyValue): void {
  if (value === null) return;
  if (typeof value === "string") writer.textAlways(field.ANY_STRING, value);
  else if (typeof value === "boolean") writer.varint(field.ANY_BOOL, value ? 1n : 0n);
  else if (typeof value === "bigint") writer.varint(field.ANY_INT, BigInt.asUintN(64, value));
  else if (typeof value === "number") writer.double(field.ANY_DOUBLE, value);
  else if (value instanceof Uint8Array) writer.bytesAlways(field.ANY_BYTES, value);
  else if (Array.isArray(value)) {
    writer.message(field.ANY_ARRAY, () => {
      for (const item of reversed(value))
        writer.message(field.LIST_VALUES, () => anyValue(writer, item));
    });
  } else if (isKeyValueList(value)) {
    writer.message(field.ANY_KVLIST, () => keyValues(writer, field.LIST_VALUES, value.values));
  } else value satisfies never;
}

function* reversed<T>(items: readonly T[]): Generator<T> {
  for (let i = items.length - 1; i >= 0; i--) yield items[i] as T;
}
