import type { AnyValue, KeyValue } from "./any-value.js";

/** Carries one log record. Ids are lower-case hex, or `""` when absent; times are ns since 1970 UTC, 0 when unset. */
export interface LogRecord {
  timeUnixNano: bigint;
  observedTimeUnixNano: bigint;
  /** Open enum: any int32 is kept. */
  severityNumber: number;
  severityText: string;
  /** `undefined` when absent, `null` when there but empty: OpenTelemetry's SDKs send the latter for no body. */
  body: AnyValue | undefined;
  attributes: KeyValue[];
  droppedAttributesCount: number;
  /** All 32 bits as sent. */
  flags: number;
  traceId: string;
  spanId: string;
  eventName: string;
}

/** Names the library that emitted the records of one ScopeLogs. */
export interface InstrumentationScope {
  name: string;
  version: string;
  attributes: KeyValue[];
  droppedAttributesCount: number;
}

/** Describes the entity that emitted the records of one ResourceLogs. */
export interface Resource {
  attributes: KeyValue[];
  droppedAttributesCount: number;
}

/** Groups the records of one scope. */
export interface ScopeLogs {
  /** `null` when the field is absent. */
  scope: InstrumentationScope | null;
  logRecords: LogRecord[];
  schemaUrl: string;
}

/** Groups the records of one resource. */
export interface ResourceLogs {
  /** `null` when the field is absent. */
  resource: Resource | null;
  scopeLogs: ScopeLogs[];
  schemaUrl: string;
}

/**
 * Carries one OTLP logs export.
 *
 * @see opentelemetry-proto `collector/logs/v1/logs_service.proto`, `ExportLogsServiceRequest`
 */
export interface LogsRequest {
  resourceLogs: ResourceLogs[];
}

/** Makes a record with every field unset. */
export function emptyLogRecord(): LogRecord {
  return {
    timeUnixNano: 0n,
    observedTimeUnixNano: 0n,
    severityNumber: 0,
    severityText: "",
    body: undefined,
    attributes: [],
    droppedAttributesCount: 0,
    flags: 0,
    traceId: "",
    spanId: "",
    eventName: "",
  };
}

/** Makes a scope with every field unset. */
export function emptyScope(): InstrumentationScope {
  return { name: "", version: "", attributes: [], droppedAttributesCount: 0 };
}

/** Makes a resource with every field unset. */
export function emptyResource(): Resource {
  return { attributes: [], droppedAttributesCount: 0 };
}
