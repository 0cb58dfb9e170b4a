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

/** @param quick fewer records: shows that it runs, not how fast it is */
export async function benchIngest(quick) {
  const batches = quick ? 60 : 1200;
  const records = batches * BATCH_RECORDS;
  const directory = temporaryDirectory();
  const server = await startServer(directory);
  const sent = await runScript("./send.mjs", server.otlpUrl, batches, BATCH_RECORDS, CONNECTIONS);
  const acknowledged = performance.now();
  const lag = records - (await status(server)).applied_seq;
  while ((await status(server)).applied_seq < records) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const lagSeconds = (performance.now() - acknowledged) / 1000;
  await server.stop();
  const appliedPerSecond = records / (sent.seconds + lagSeconds);
  const raw = await runScript("./raw-appender.mjs", directory, Math.min(records, 400_000));
  fs.rmSync(directory, { recursive: true, force: true });
  const collector = await startCollector(toFile);
  const peer =
    collector &&
    (await runScript("./send.mjs", collector.url, batches, BATCH_RECORDS, CONNECTIONS));
  await collector?.stop();

  const ratio = (a, b) => `${(a / b).toFixed(2)} x`;
  return [
    {
      what: "acknowledged (on disk)",
      perSecond: sent.perSecond,
      note: `p50 ${sent.p50Millis.toFixed(1)} ms, p99 ${sent.p99Millis.toFixed(1)} ms, ${records} records of ${sent.bytesPerRecord} B`,
    },
    peer === null
      ? {
          what: "  Collector to a file, no sync",
          perSecond: null,
          note: "not built: test/interop/peers/otelcol/build.sh",
        }
      : {
          what: "  Collector to a file, no sync",
          perSecond: peer.perSecond,
          note: `we are at ${ratio(sent.perSecond, peer.perSecond)}, goal 1.5 x`,
        },
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

async function status(server) {
  return await (await fetch(`${server.apiUrl}api/v1/status`)).json();
}
