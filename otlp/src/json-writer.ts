import { type AnyValue, isKeyValueList, type KeyValue } from "./any-value.js";
import type { InstrumentationScope, LogRecord, LogsRequest, Resource } from "./logs.js";

/**
 * Writes a request as OTLP/JSON: ids in lower-case hex, 64-bit integers as strings, `"NaN"` and
 * `"Infinity"` as strings, `-0` kept, enums as numbers, bytes in base64; unset fields are left out.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function writeLogsRequestJson(request: LogsRequest): string {
  const groups = request.resourceLogs.map((group) =>
    object([
      ["resource", group.resource && resourceJson(group.resource)],
      [
        "scopeLogs",
        array(
          group.scopeLogs.map((scopeGroup) =>
            object([
              ["scope", scopeGroup.scope && scopeJson(scopeGroup.scope)],
              ["logRecords", array(scopeGroup.logRecords.map(logRecordJson))],
              ["schemaUrl", text(scopeGroup.schemaUrl)],
            ]),
          ),
        ),
      ],
      ["schemaUrl", text(group.schemaUrl)],
    ]),
  );
  return object([["resourceLogs", array(groups)]]);
}

/** Writes one record in the form of {@link writeLogsRequestJson}. */
export function logRecordJson(record: LogRecord): string {
  return object([
    ["timeUnixNano", uint64(record.timeUnixNano)],
    ["observedTimeUnixNano", uint64(record.observedTimeUnixNano)],
    ["severityNumber", uint(record.severityNumber)],
    ["severityText", text(record.severityText)],
    ["body", record.body === undefined ? null : anyValueJson(record.body)],
    ["attributes", keyValues(record.attributes)],
    ["droppedAttributesCount", uint(record.droppedAttributesCount)],
    ["flags", uint(record.flags)],
    ["traceId", text(record.traceId)],
    ["spanId", text(record.spanId)],
    ["eventName", text(record.eventName)],
  ]);
}

/** Writes a resource in the form of {@link writeLogsRequestJson}. */
export function resourceJson(resource: Resource): string {
  return object([
    ["attributes", keyValues(resource.attributes)],
    ["droppedAttributesCount", uint(resource.droppedAttributesCount)],
  ]);
}

/** Writes a scope in the form of {@link writeLogsRequestJson}. */
export function scopeJson(scope: InstrumentationScope): string {
  return object([
    ["name", text(scope.name)],
    ["version", text(scope.version)],
    ["attributes", keyValues(scope.attributes)],
    ["droppedAttributesCount", uint(scope.droppedAttributesCount)],
  ]);
}

function anyValueJson(value: AnyValue): string {
  if (value === null) return "{}";
  if (typeof value === "string") return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === "boolean") return `{"boolValue":${value}}`;
  if (typeof value === "bigint") return `{"intValue":"${value}"}`;
  if (typeof value === "number") return `{"doubleValue":${doubleJson(value)}}`;
  if (value instanceof Uint8Array) {
    return `{"bytesValue":"${Buffer.from(value).toString("base64")}"}`;
  }
  if (Array.isArray(value)) return `{"arrayValue":{"values":${array(value.map(anyValueJson))}}}`;
  if (isKeyValueList(value)) {
    return `{"kvlistValue":{"values":${array(value.values.map(keyValueJson))}}}`;
  }
  return value satisfies never;
}

function doubleJson(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0" : String(value);
}

function keyValueJson({ key, value }: KeyValue): string {
  return `{"key":${JSON.stringify(key)},"value":${anyValueJson(value)}}`;
}

function keyValues(pairs: readonly KeyValue[]): string | null {
  return pairs.length === 0 ? null : array(pairs.map(keyValueJson));
}

function uint(value: number): string | null {
  return value === 0 ? null : String(value);
}

function uint64(value: bigint): string | null {
  return value === 0n ? null : `"${value}"`;
}

function text(value: string): string | null {
  return value === "" ? null : JSON.stringify(value);
}

function array(items: readonly string[]): string {
  return `[${items.join(",")}]`;
}

function object(members: readonly (readonly [string, string | null])[]): string {
  const set = members.filter(([, json]) => json !== null);
  return `{${set.map(([name, json]) => `"${name}":${json}`).join(",")}}`;
}
