// Ingest: acknowledged and applied events per second, each beside its peers of the same run.
import fs from "node:fs";
import { runScript, startCollector, startServer, temporaryDirectory } from "./processes.mjs";

const BATCH_RECORDS = 512;
const CONNECTIONS = 8;

const receiver = (port) => `
receivers:
  otlp: { protocols: { http: { endpoint: 127.0.0.1:${port} } } }`;
const toFile = (port, directory) => `${receiver(port)}
exporters:
  file: { path: ${directory}/out.json }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { logs: { receivers: [otlp], exporters: [file] } }
`;

const toQueue = (port, directory) => `${receiver(port)}
extensions:
  file_storage: { directory: ${directory}/queue, create_directory: true, fsync: true }
exporters:
  otlp_http:
    logs_endpoint: http://127.0.0.1:9/v1/logs
    retry_on_failure: { enabled: true, max_elapsed_time: 0s }
    sending_queue: { enabled: true, storage: file_storage, sizer: bytes, queue_size: 8589934592 }
service:
  extensions: [file_storage]
  telemetry: { metrics: { level: none } }
  pipelines: { logs: { receivers: [otlp], exporters: [otlp_http] } }
`;

/** @param quick fewer records: shows that it runs, not how fast it is */
export async function benchIngest(quick) {
  const batches = quick ? 60 : 1200;
  const records = batches * BATCH_RECORDS;
  const directory = temporaryDirectory();
  const server = await startServer(directory);
  const sent = await runScript("./send.mjs", server.otlpUrl, batches, BATCH_RECORDS, CONNECTIONS);
  const acknowledged = performance.now();
  const lag = records - (await status(server)).applied_seq;
  await server.applied(records);
  const lagSeconds = (performance.now() - acknowledged) / 1000;
  await server.stop();
  const appliedPerSecond = records / (sent.seconds + lagSeconds);
  const raw = await runScript("./raw-appender.mjs", directory, Math.min(records, 400_000));
  fs.rmSync(directory, { recursive: true, force: true });
  const toCollector = async (configuration, count) => {
    const collector = await startCollector(configuration);
    if (collector === null) return null;
    const result = await runScript("./send.mjs", collector.url, count, BATCH_RECORDS, CONNECTIONS);
    await collector.stop();
    return result;
  };
  const file = await toCollector(toFile, batches);
  const queue = await toCollector(toQueue, Math.ceil(batches / 4));

  return [
    {
      what: "acknowledged (on disk)",
      perSecond: sent.perSecond,
      note: `p50 ${sent.p50Millis.toFixed(1)} ms, p99 ${sent.p99Millis.toFixed(1)} ms, ${records} records of ${sent.bytesPerRecord} B`,
    },
    collectorRow("to a file, no sync", file, "1.5 x", sent),
    collectorRow("with its durable queue, fsync", queue, "5 x", sent),
    {
      what: "applied and queryable",
      perSecond: appliedPerSecond,
      note: `${lag} records behind at the last acknowledgement, caught up after ${lagSeconds.toFixed(1)} s`,
    },
    {
      what: "  raw DuckDB appender",
      perSecond: raw.perSecond,
      note: `we are at ${ratio(appliedPerSecond, raw.perSecond)}, goal 0.8 x`,
    },
  ];
}

const ratio = (a, b) => `${(a / b).toFixed(2)} x`;

function collectorRow(what, peer, goal, sent) {
  return {
    what: `  Collector ${what}`,
    perSecond: peer?.perSecond ?? null,
    note: peer
      ? `we are at ${ratio(sent.perSecond, peer.perSecond)}, goal ${goal}`
      : "not built: test/interop/peers/otelcol/build.sh",
  };
}

async function status(server) {
  return await (await fetch(`${server.apiUrl}api/v1/status`)).json();
}
