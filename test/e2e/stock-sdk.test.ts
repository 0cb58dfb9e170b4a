import { OTLPLogExporter as JsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtobufExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { describe, expect, it } from "vitest";
import { startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

describe("a stock OpenTelemetry JS SDK", () => {
  it("sends logs in protobuf and JSON, plain and gzip, and finds them", async () => {
    const server = await startServer(temporaryDirectory());
    const exporters = [JsonExporter, ProtobufExporter].flatMap((Exporter) =>
      ["none", "gzip"].map(
        (compression) => new Exporter({ url: server.otlpUrl, compression: compression as never }),
      ),
    );
    for (const [i, exporter] of exporters.entries()) {
      const provider = new LoggerProvider({
        resource: resourceFromAttributes({ "service.name": `stock-${i}` }),
        processors: [new BatchLogRecordProcessor({ exporter })],
      });
      provider.getLogger("scope", "1").emit({
        eventName: "app.thing",
        body: "it happened",
        severityNumber: 9,
        timestamp: new Date("2026-11-23T06:13:26.123Z"),
        attributes: { n: 42, d: 0.5, list: ["a"], map: { k: true }, "gen_ai.agent.id": "agt_7" },
      });
      await provider.shutdown();
    }
    const { events } = await server.get("events?event_name=app.thing&order=seq");
    expect(events.length).toBe(4);
    for (const [i, event] of events.entries()) {
      expect(event).toMatchObject({
        time: "2026-11-23T06:13:26.123Z",
        event_name: "app.thing",
        description: "it happened",
        source: null,
        agent: { id: "agt_7" },
        metadata: { n: 42, d: 0.5, list: ["a"], map: { k: true } },
      });
      const only = await server.get(`events?service_name=stock-${i}`);
      expect(only.events.map(({ seq }: { seq: number }) => seq)).toEqual([event.seq]);
    }
  });
});
