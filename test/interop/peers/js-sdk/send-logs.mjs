// Emits the records of an OTLP/JSON file through the OpenTelemetry Logs SDK for JavaScript.
//
// Usage: send-logs.mjs RECORDS.json, with OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, _COMPRESSION and _PROTOCOL.
// Exits 0 when the exporter reported success.
import fs from "node:fs";
import { createRequire } from "node:module";
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";

const isJson = process.env.OTEL_EXPORTER_OTLP_LOGS_PROTOCOL === "http/json";
const unsupported = { "scope.string": "the API has no scope attributes" };

/** `undefined` for what a JavaScript number cannot say. */
function native(value, name) {
  const [[kind, content] = []] = Object.entries(value);
  switch (kind) {
    case undefined:
      return null;
    case "intValue":
      if (Number.isSafeInteger(Number(content))) return Number(content);
      unsupported[name] = "no integers beyond 2^53";
      return undefined;
    case "doubleValue":
      return double(Number(content), name);
    case "bytesValue":
      return Uint8Array.from(Buffer.from(content, "base64"));
    case "arrayValue":
      return content.values.map((item) => native(item, name));
    case "kvlistValue":
      return attributes(content.values, name);
    default:
      return content;
  }
}

/** The exporters tell integers and doubles apart by the value, and JSON has no word for the others. */
function double(number, name) {
  if (Number.isInteger(number)) unsupported[name] = "a whole number is an integer";
  else if (isJson && !Number.isFinite(number)) unsupported[name] = "JSON has only finite numbers";
  else return number;
  return undefined;
}

function attributes(pairs, name) {
  return Object.fromEntries(
    pairs
      .map(({ key, value }) => [key, native(value, name ?? key)])
      .filter(([key]) => unsupported[name ?? key] === undefined),
  );
}

const time = (nanos) =>
  nanos === undefined
    ? undefined
    : [Number(BigInt(nanos) / 1_000_000_000n), Number(BigInt(nanos) % 1_000_000_000n)];

function contextOf({ traceId, spanId, flags }) {
  if (traceId === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags });
}

const { OTLPLogExporter } = isJson
  ? await import("@opentelemetry/exporter-logs-otlp-http")
  : await import("@opentelemetry/exporter-logs-otlp-proto");
const file = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const exporter = new OTLPLogExporter();
const results = [];
const passed = exporter.export.bind(exporter);
exporter.export = (batch, done) =>
  passed(batch, (result) => {
    results.push(result.code);
    done(result);
  });
const provider = new LoggerProvider({
  resource: resourceFromAttributes(attributes(file.resource.attributes)),
  processors: [new BatchLogRecordProcessor({ exporter, scheduledDelayMillis: 3_600_000 })],
});
const { name, version } = file.scope;
const logger = provider.getLogger(name, version);
for (const [i, record] of file.records.entries()) {
  if (record.timeUnixNano === undefined) unsupported[`records.${i}.timeUnixNano`] = "set to now";
  logger.emit({
    timestamp: time(record.timeUnixNano),
    observedTimestamp: time(record.observedTimeUnixNano),
    severityNumber: record.severityNumber,
    severityText: record.severityText,
    eventName: record.eventName,
    body: record.body && native(record.body, `records.${i}.body`),
    attributes: attributes(record.attributes),
    context: contextOf(record),
  });
}
await provider.forceFlush();
await provider.shutdown();
const sdk = createRequire(import.meta.url)("@opentelemetry/sdk-logs/package.json").version;
console.log(JSON.stringify({ sdk: `opentelemetry-js ${sdk}`, unsupported }));
process.exitCode = results.length === 1 && results[0] === 0 ? 0 : 1;
