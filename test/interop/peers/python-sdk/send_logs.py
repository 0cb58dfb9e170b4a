"""Emits the records of an OTLP/JSON file through the OpenTelemetry Logs SDK for Python.

Usage: send_logs.py RECORDS.json, with OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, _COMPRESSION and _PROTOCOL.
Exits 0 when the exporter reported success, 1 when not, 3 when it lacks the protocol.
"""
import base64
import json
import os
import sys
from importlib.metadata import version

from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context


class Outcome(LogRecordExporter):
    """Passes batches on and keeps the results: the processor discards them."""

    def __init__(self, exporter):
        self.exporter = exporter
        self.results = []

    def export(self, batch):
        result = self.exporter.export(batch)
        self.results.append(result)
        return result

    def force_flush(self, timeout_millis=30000):
        return self.exporter.force_flush(timeout_millis)

    def shutdown(self):
        self.exporter.shutdown()


def new_exporter(protocol):
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    elif protocol == "http/json":
        from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter
    else:
        print(f"no exporter for the protocol {protocol}", file=sys.stderr)
        sys.exit(3)
    return OTLPLogExporter()


def native(value):
    if not value:
        return None
    [(kind, content)] = value.items()
    if kind == "intValue":
        return int(content)
    if kind == "doubleValue":
        return float(content)
    if kind == "bytesValue":
        return base64.b64decode(content)
    if kind == "arrayValue":
        return [native(item) for item in content["values"]]
    if kind == "kvlistValue":
        return attributes(content["values"])
    return content


def attributes(pairs):
    return {pair["key"]: native(pair["value"]) for pair in pairs}


def context_of(record):
    if "traceId" not in record:
        return Context()
    span = SpanContext(
        trace_id=int(record["traceId"], 16),
        span_id=int(record["spanId"], 16),
        is_remote=False,
        trace_flags=TraceFlags(record["flags"]),
    )
    return set_span_in_context(NonRecordingSpan(span), Context())


def nanoseconds(record, field):
    return int(record[field]) if field in record else None


def emit(logger, record):
    severity = record.get("severityNumber")
    logger.emit(
        timestamp=nanoseconds(record, "timeUnixNano"),
        observed_timestamp=nanoseconds(record, "observedTimeUnixNano"),
        context=context_of(record),
        severity_number=SeverityNumber(severity) if severity else None,
        severity_text=record.get("severityText"),
        body=native(record.get("body")),
        attributes=attributes(record["attributes"]),
        event_name=record.get("eventName"),
    )


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    exporter = Outcome(new_exporter(os.environ.get("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf")))
    # Resource.create would add telemetry.sdk.* and the contents of OTEL_RESOURCE_ATTRIBUTES.
    provider = LoggerProvider(resource=Resource(attributes(data["resource"]["attributes"])), shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, schedule_delay_millis=3_600_000))
    scope = data["scope"]
    logger = provider.get_logger(scope["name"], scope["version"], attributes=attributes(scope["attributes"]))

    for record in data["records"]:
        emit(logger, record)
    flushed = provider.force_flush()
    provider.shutdown()

    print(json.dumps({"sdk": f"opentelemetry-python {version('opentelemetry-sdk')}", "unsupported": {}}))
    sys.exit(0 if flushed and exporter.results == [LogRecordExportResult.SUCCESS] else 1)


main()
