import type { AnyValue, KeyValue, LogRecord, LogsRequest } from "@agent-audit/otlp";
import protobuf from "protobufjs";

// A second opinion on the wire format: the same messages, read and written by protobufjs.

const field = (id: number, type: string, rule?: "repeated") => ({
  id,
  type,
  ...(rule && { rule }),
});

const root = protobuf.Root.fromJSON({
  nested: {
    Request: { fields: { resourceLogs: field(1, "ResourceLogs", "repeated") } },
    ResourceLogs: {
      fields: {
        resource: field(1, "Resource"),
        scopeLogs: field(2, "ScopeLogs", "repeated"),
        schemaUrl: field(3, "string"),
      },
    },
    Resource: {
      fields: {
        attributes: field(1, "KeyValue", "repeated"),
        droppedAttributesCount: field(2, "uint32"),
      },
    },
    ScopeLogs: {
      fields: {
        scope: field(1, "Scope"),
        logRecords: field(2, "LogRecord", "repeated"),
        schemaUrl: field(3, "string"),
      },
    },
    Scope: {
      fields: {
        name: field(1, "string"),
        version: field(2, "string"),
        attributes: field(3, "KeyValue", "repeated"),
        droppedAttributesCount: field(4, "uint32"),
      },
    },
    LogRecord: {
      fields: {
        timeUnixNano: field(1, "fixed64"),
        severityNumber: field(2, "int32"),
        severityText: field(3, "string"),
        body: field(5, "AnyValue"),
        attributes: field(6, "KeyValue", "repeated"),
        droppedAttributesCount: field(7, "uint32"),
        flags: field(8, "fixed32"),
        traceId: field(9, "bytes"),
        spanId: field(10, "bytes"),
        observedTimeUnixNano: field(11, "fixed64"),
        eventName: field(12, "string"),
      },
    },
    KeyValue: { fields: { key: field(1, "string"), value: field(2, "AnyValue") } },
    AnyValue: {
      oneofs: {
        value: {
          oneof: [
            "stringValue",
            "boolValue",
            "intValue",
            "doubleValue",
            "arrayValue",
            "kvlistValue",
            "bytesValue",
          ],
        },
      },
      fields: {
        stringValue: field(1, "string"),
        boolValue: field(2, "bool"),
        intValue: field(3, "int64"),
        doubleValue: field(4, "double"),
        arrayValue: field(5, "ArrayValue"),
        kvlistValue: field(6, "KeyValueList"),
        bytesValue: field(7, "bytes"),
      },
    },
    ArrayValue: { fields: { values: field(1, "AnyValue", "repeated") } },
    KeyValueList: { fields: { values: field(1, "KeyValue", "repeated") } },
  },
});
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
