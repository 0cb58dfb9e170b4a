import fs from "node:fs";
import type { AnyValue, KeyValue, LogRecord, LogsRequest } from "@agent-audit/otlp";
import protobuf from "protobufjs";

// A second opinion on the wire format: the same messages, read and written by protobufjs.

const root = protobuf.Root.fromJSON(
  JSON.parse(fs.readFileSync(new URL("otlp-messages.json", import.meta.url), "utf8")),
);
const Request = root.lookupType("Request");

type Loose = Record<string, unknown>;

/** Decodes a request with protobufjs, into our form. @throws on what protobufjs refuses */
export function decodeWithProtobufjs(bytes: Uint8Array): LogsRequest {
  const request = Request.toObject(Request.decode(bytes), {
    longs: String,
    defaults: true,
    arrays: true,
    oneofs: true,
  }) as { resourceLogs: Loose[] };
  return {
    resourceLogs: request.resourceLogs.map((group) => ({
      resource: group.resource === null ? null : shared(group.resource as Loose, {}),
      scopeLogs: (group.scopeLogs as Loose[]).map((scopeGroup) => ({
        scope:
          scopeGroup.scope === null
            ? null
            : shared(scopeGroup.scope as Loose, {
                name: (scopeGroup.scope as Loose).name as string,
                version: (scopeGroup.scope as Loose).version as string,
              }),
        logRecords: (scopeGroup.logRecords as Loose[]).map(recordOf),
        schemaUrl: scopeGroup.schemaUrl as string,
      })),
      schemaUrl: group.schemaUrl as string,
    })),
  };
}

/** Encodes a request with protobufjs. */
export function encodeWithProtobufjs(request: LogsRequest): Uint8Array {
  const plain = {
    resourceLogs: request.resourceLogs.map((group) => ({
      ...group,
      ...(group.resource === null
        ? { resource: undefined }
        : { resource: { ...group.resource, attributes: group.resource.attributes.map(pairTo) } }),
      scopeLogs: group.scopeLogs.map((scopeGroup) => ({
        ...scopeGroup,
        ...(scopeGroup.scope === null
          ? { scope: undefined }
          : {
              scope: { ...scopeGroup.scope, attributes: scopeGroup.scope.attributes.map(pairTo) },
            }),
        logRecords: scopeGroup.logRecords.map((record) => ({
          ...record,
          timeUnixNano: String(record.timeUnixNano),
          observedTimeUnixNano: String(record.observedTimeUnixNano),
          body: record.body === undefined ? undefined : anyTo(record.body),
          attributes: record.attributes.map(pairTo),
          traceId: Buffer.from(record.traceId, "hex"),
          spanId: Buffer.from(record.spanId, "hex"),
        })),
      })),
    })),
  };
  return Request.encode(Request.fromObject(plain)).finish();
}

function shared<T extends object>(message: Loose, rest: T) {
  return {
    ...rest,
    attributes: (message.attributes as Loose[]).map(pairOf),
    droppedAttributesCount: message.droppedAttributesCount as number,
  };
}

function recordOf(record: Loose): LogRecord {
  return {
    timeUnixNano: BigInt(record.timeUnixNano as string),
    observedTimeUnixNano: BigInt(record.observedTimeUnixNano as string),
    severityNumber: record.severityNumber as number,
    severityText: record.severityText as string,
    body: record.body === null ? undefined : anyOf(record.body as Loose),
    attributes: (record.attributes as Loose[]).map(pairOf),
    droppedAttributesCount: record.droppedAttributesCount as number,
    flags: record.flags as number,
    traceId: Buffer.from(record.traceId as Uint8Array).toString("hex"),
    spanId: Buffer.from(record.spanId as Uint8Array).toString("hex"),
    eventName: record.eventName as string,
  };
}

function pairOf({ key, value }: Loose): KeyValue {
  return { key: key as string, value: value === null ? null : anyOf(value as Loose) };
}

function anyOf(value: Loose): AnyValue {
  switch (value.value) {
    case "intValue":
      return BigInt(value.intValue as string);
    case "bytesValue":
      return new Uint8Array(value.bytesValue as Uint8Array);
    case "arrayValue":
      return ((value.arrayValue as Loose).values as Loose[]).map(anyOf);
    case "kvlistValue":
      return { values: ((value.kvlistValue as Loose).values as Loose[]).map(pairOf) };
    case undefined:
      return null;
    default:
      return value[value.value as string] as AnyValue;
  }
}

function pairTo({ key, value }: KeyValue): Loose {
  return { key, value: anyTo(value) };
}

function anyTo(value: AnyValue): Loose {
  if (value === null) return {};
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "bigint") return { intValue: String(value) };
  if (typeof value === "number") return { doubleValue: value };
  if (value instanceof Uint8Array) return { bytesValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyTo) } };
  return { kvlistValue: { values: value.values.map(pairTo) } };
}
