// Emits the records of an OTLP/JSON file through the OpenTelemetry Logs SDK for Java.
//
// Usage: SendLogs RECORDS.json, with OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, _COMPRESSION and _PROTOCOL.
// Exits 0 when the exporter reported success, 1 when not, 3 when it lacks the protocol.

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.LogRecordBuilder;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.resources.Resource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

public final class SendLogs {

  // Passes batches on and keeps the results: the processor only logs a failure.
  private record Outcome(LogRecordExporter exporter, List<CompletableResultCode> results) implements LogRecordExporter {
    @Override
    public CompletableResultCode export(Collection<LogRecordData> logs) {
      CompletableResultCode result = exporter.export(logs);
      results.add(result);
      return result;
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }

    boolean isSuccess() {
      return results.size() == 1 && results.get(0).isSuccess();
    }
  }

  private static Value<?> value(JsonObject json) {
    if (json.size() == 0) {
      return Value.empty();
    }
    Map.Entry<String, JsonElement> entry = json.entrySet().iterator().next();
    JsonElement content = entry.getValue();
    return switch (entry.getKey()) {
      case "stringValue" -> Value.of(content.getAsString());
      case "boolValue" -> Value.of(content.getAsBoolean());
      case "intValue" -> Value.of(content.getAsLong());
      case "doubleValue" -> Value.of(content.getAsDouble());
      case "bytesValue" -> Value.of(Base64.getDecoder().decode(content.getAsString()));
      case "arrayValue" -> Value.of(array(content));
      case "kvlistValue" -> Value.of(map(content));
      default -> throw new IllegalArgumentException(entry.getKey());
    };
  }

  private static List<Value<?>> array(JsonElement json) {
    List<Value<?>> items = new ArrayList<>();
    json.getAsJsonObject().getAsJsonArray("values").forEach(item -> items.add(value(item.getAsJsonObject())));
    return items;
  }

  private static KeyValue[] map(JsonElement json) {
    return pairs(json.getAsJsonObject().getAsJsonArray("values"));
  }

  private static KeyValue[] pairs(JsonArray json) {
    return json.asList().stream()
        .map(JsonElement::getAsJsonObject)
        .map(pair -> KeyValue.of(pair.get("key").getAsString(), value(pair.getAsJsonObject("value"))))
        .toArray(KeyValue[]::new);
  }

  private static Attributes attributes(JsonArray json) {
    AttributesBuilder builder = Attributes.builder();
    for (KeyValue pair : pairs(json)) {
      builder.put(pair.getKey(), pair.getValue());
    }
    return builder.build();
  }

  private static Context contextOf(JsonObject record) {
    SpanContext span = SpanContext.create(
        record.get("traceId").getAsString(),
        record.get("spanId").getAsString(),
        TraceFlags.fromByte(record.get("flags").getAsByte()),
        TraceState.getDefault());
    return Context.root().with(Span.wrap(span));
  }

  private static void emit(Logger logger, JsonObject record) {
    LogRecordBuilder builder = logger.logRecordBuilder().setAllAttributes(attributes(record.getAsJsonArray("attributes")));
    if (record.has("timeUnixNano")) {
      builder.setTimestamp(record.get("timeUnixNano").getAsLong(), TimeUnit.NANOSECONDS);
    }
    if (record.has("observedTimeUnixNano")) {
      builder.setObservedTimestamp(record.get("observedTimeUnixNano").getAsLong(), TimeUnit.NANOSECONDS);
    }
    if (record.has("severityNumber")) {
      // The constants are declared in the order of their numbers, from 0.
      builder.setSeverity(Severity.values()[record.get("severityNumber").getAsInt()]);
    }
    if (record.has("severityText")) {
      builder.setSeverityText(record.get("severityText").getAsString());
    }
    if (record.has("eventName")) {
      builder.setEventName(record.get("eventName").getAsString());
    }
    if (record.has("body")) {
      builder.setBody(value(record.getAsJsonObject("body")));
    }
    if (record.has("traceId")) {
      builder.setContext(contextOf(record));
    }
    builder.emit();
  }

  private static Outcome newExporter() {
    String protocol = System.getenv().getOrDefault("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf");
    if (!protocol.equals("http/protobuf")) {
      System.err.println("no exporter for the protocol " + protocol);
      System.exit(3);
    }
    // The exporter's builder does not read the environment.
    LogRecordExporter exporter = OtlpHttpLogRecordExporter.builder()
        .setEndpoint(System.getenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"))
        .setCompression(System.getenv().getOrDefault("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "none"))
        .build();
    return new Outcome(exporter, new ArrayList<>());
  }

  public static void main(String[] args) throws IOException {
    JsonObject file = JsonParser.parseString(Files.readString(Path.of(args[0]))).getAsJsonObject();
    JsonObject unsupported = new JsonObject();

    Outcome exporter = newExporter();
    SdkLoggerProvider provider = SdkLoggerProvider.builder()
        .setResource(Resource.create(attributes(file.getAsJsonObject("resource").getAsJsonArray("attributes"))))
        .addLogRecordProcessor(BatchLogRecordProcessor.builder(exporter).setScheduleDelay(Duration.ofHours(1)).build())
        .build();
    JsonObject scope = file.getAsJsonObject("scope");
    Logger logger = provider.loggerBuilder(scope.get("name").getAsString())
        .setInstrumentationVersion(scope.get("version").getAsString())
        .build();
    for (KeyValue pair : pairs(scope.getAsJsonArray("attributes"))) {
      unsupported.addProperty(pair.getKey(), "LoggerBuilder has no scope attributes");
    }

    file.getAsJsonArray("records").forEach(record -> emit(logger, record.getAsJsonObject()));
    boolean flushed = provider.forceFlush().join(30, TimeUnit.SECONDS).isSuccess();
    boolean ended = provider.shutdown().join(30, TimeUnit.SECONDS).isSuccess();

    JsonObject report = new JsonObject();
    String version = Resource.getDefault().getAttribute(AttributeKey.stringKey("telemetry.sdk.version"));
    report.addProperty("sdk", "opentelemetry-java " + version);
    report.add("unsupported", unsupported);
    System.out.println(report);
    System.exit(flushed && ended && exporter.isSuccess() ? 0 : 1);
  }
}
