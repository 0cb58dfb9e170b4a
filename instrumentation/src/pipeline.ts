import os from "node:os";
import { type AnyValue, isKeyValueList, type LogRecord } from "@agent-audit/otlp";
import { ATTR_HOST_NAME, ATTR_PROCESS_PID, ATTR_SERVICE_INSTANCE_ID } from "@agent-audit/schema";
import {
  context as contextApi,
  type HrTime,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
} from "@opentelemetry/api";
import type { Logger, AnyValue as OtelValue } from "@opentelemetry/api-logs";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { BoundedExporter } from "./bounded-exporter.js";

// With the exporter's wrapper the only module that knows the OpenTelemetry SDK: the move to another line of it is one edit.

/** Records that wait in memory at most; what comes on top is dropped, as in every stock pipeline. */
const MAX_QUEUED_RECORDS = 16_384;
const MAX_BATCH_RECORDS = 512;
const BATCH_DELAY_MILLIS = 200;
/** The SDK's default of 128 would silently cut an event's attributes. */
const MAX_ATTRIBUTES = 4096;

const SCOPE_NAME = "@agent-audit/instrumentation";
const SCOPE_VERSION = "0.1.0";

export interface PipelineOptions {
  /** Base URL, with or without `/v1/logs`; default: the `OTEL_EXPORTER_OTLP_*` variables, else the exporter's own default. */
  endpoint?: string | undefined;
  headers?: Record<string, string> | undefined;
  instanceId: string;
}

/** Sends log records on: the SDK's own pipeline, or a logger of the application. */
export interface Pipeline {
  logger: Logger;
  flush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Builds batch processor and OTLP exporter from the SDK. */
export function sdkPipeline({ endpoint, headers, instanceId }: PipelineOptions): Pipeline {
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        [ATTR_SERVICE_INSTANCE_ID]: instanceId,
        [ATTR_HOST_NAME]: os.hostname(),
        [ATTR_PROCESS_PID]: process.pid,
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
  const exporter = new OTLPLogExporter({
    ...(endpoint === undefined ? {} : { url: logsUrl(endpoint) }),
    ...(headers === undefined ? {} : { headers }),
  });
  const processor = new BatchLogRecordProcessor({
    exporter: new BoundedExporter(exporter),
    maxQueueSize: MAX_QUEUED_RECORDS,
    maxExportBatchSize: MAX_BATCH_RECORDS,
    scheduledDelayMillis: BATCH_DELAY_MILLIS,
  });
  const provider = new LoggerProvider({
    resource,
    processors: [processor],
    logRecordLimits: { attributeCountLimit: MAX_ATTRIBUTES },
  });
  return {
    logger: provider.getLogger(SCOPE_NAME, SCOPE_VERSION),
    flush: () => provider.forceFlush(),
    shutdown: () => provider.shutdown(),
  };
}

/** The path may be there already, as in the variable for logs of OpenTelemetry. */
function logsUrl(endpoint: string): string {
  return `${endpoint.replace(/(?:\/v1\/logs)?\/*$/, "")}/v1/logs`;
}

/** Emits a record through OpenTelemetry's API. */
export function emit(logger: Logger, record: LogRecord, traceparent: string | undefined): void {
  logger.emit({
    eventName: record.eventName,
    timestamp: hrTime(record.timeUnixNano),
    observedTimestamp: hrTime(record.observedTimeUnixNano),
    severityNumber: record.severityNumber,
    ...(record.body === undefined ? {} : { body: otelValue(record.body) }),
    attributes: Object.fromEntries(
      record.attributes.map(({ key, value }) => [key, otelValue(value)]),
    ),
    context: contextOf(traceparent),
  });
}

/** The active span's context, or that of a proxied request. */
function contextOf(traceparent: string | undefined) {
  if (traceparent === undefined) return contextApi.active();
  const extracted = new W3CTraceContextPropagator().extract(
    ROOT_CONTEXT,
    { traceparent },
    { get: (carrier: { traceparent: string }) => carrier.traceparent, keys: () => ["traceparent"] },
  );
  const span = trace.getSpanContext(extracted);
  return span !== undefined && isSpanContextValid(span) ? extracted : contextApi.active();
}

function hrTime(nanos: bigint): HrTime {
  return [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)];
}

/** The stock exporters send an empty value for a bigint and, in JSON, null for NaN: numbers or text go instead. */
function otelValue(value: AnyValue): OtelValue {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(otelValue);
  if (value !== null && typeof value === "object" && !(value instanceof Uint8Array)) {
    if (!isKeyValueList(value)) return null;
    return Object.fromEntries(value.values.map((pair) => [pair.key, otelValue(pair.value)]));
  }
  return value;
}
