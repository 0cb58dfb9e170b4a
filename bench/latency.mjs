// How long an acknowledgement takes at half load, beside how long the same disk takes to sync.
import fs from "node:fs";
import path from "node:path";
import { runScript, startServer, temporaryDirectory } from "./processes.mjs";

const BATCH_RECORDS = 512;
const CONNECTIONS = 8;
const SYNC_BYTES = 100_000;

/** @param quick fewer records: shows that it runs, not how fast it is */
export async function benchLatency(quick) {
  const batches = quick ? 40 : 1200;
  const directory = temporaryDirectory();
  const full = await send(directory, batches / 2);
  const half = await send(directory, batches, full.perSecond / 2);
  const syncs = syncMillis(directory, quick ? 50 : 500);
  fs.rmSync(directory, { recursive: true, force: true });
  const goal = syncs.p99 * 4 + 10;
  return [
    {
      what: "acknowledge at half load",
      perSecond: half.perSecond,
      note: `p50 ${half.p50Millis.toFixed(1)} ms, p99 ${half.p99Millis.toFixed(1)} ms; goal p99 ${goal.toFixed(1)} ms`,
    },
    {
      what: "  fdatasync of the same disk",
      perSecond: null,
      note: `p50 ${syncs.p50.toFixed(1)} ms, p99 ${syncs.p99.toFixed(1)} ms after ${SYNC_BYTES} bytes`,
    },
  ];
}

async function send(directory, batches, recordsPerSecond = 0) {
  const data = path.join(directory, `${batches}-${Math.round(recordsPerSecond)}`);
  const server = await startServer(data);
  const options = [batches, BATCH_RECORDS, CONNECTIONS, recordsPerSecond];
  const sent = await runScript("./send.mjs", server.otlpUrl, ...options);
  await server.stop();
  return sent;
}

function syncMillis(directory, count) {
  const fd = fs.openSync(path.join(directory, "syncs"), "w");
  const bytes = Buffer.alloc(SYNC_BYTES, 1);
  const times = [];
  for (let i = 0; i < count; i++) {
    fs.writeSync(fd, bytes);
    const begin = performance.now();
    fs.fdatasyncSync(fd);
    times.push(performance.now() - begin);
  }
  fs.closeSync(fd);
  times.sort((a, b) => a - b);
  return { p50: times[count >> 1], p99: times[Math.floor(count * 0.99)] };
}
