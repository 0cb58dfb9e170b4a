// Start: how long until ingest and queries are ready on a directory that holds much, after kill -9 and after a stop,
// and how fast an engine is made again from its journal.
import fs from "node:fs";
import path from "node:path";
import { runScript, startServer, temporaryDirectory } from "./processes.mjs";

const BATCH_RECORDS = 512;
const CONNECTIONS = 8;
/** Of one sender process, which makes all its records first. */
const BATCHES_AT_ONCE = 1200;

/** @param quick fewer records: shows that it runs, not how fast it is */
export async function benchStart(quick) {
  const rounds = quick ? 1 : 17;
  const batches = quick ? 60 : BATCHES_AT_ONCE;
  const directory = temporaryDirectory();
  let server = await startServer(directory);
  let records = 0;
  for (let i = 0; i < rounds; i++) {
    const sent = await runScript("./send.mjs", server.otlpUrl, batches, BATCH_RECORDS, CONNECTIONS);
    records += sent.records;
  }
  await server.applied(records);
  await server.kill();
  const rows = [];
  const start = async (what) => {
    server = await startServer(directory);
    const note = `ingest ${server.ingestSeconds.toFixed(2)} s (goal 2), queries ${server.queriesSeconds.toFixed(2)} s (goal 5), ${records} records stored`;
    rows.push({ what, perSecond: null, note });
  };
  await start("start after kill -9");
  await server.stop();
  await start("start after a stop");
  await server.stop();
  fs.rmSync(path.join(directory, "events"), { recursive: true });
  await start("start without an engine");
  rows.push({
    what: "  rebuilt",
    perSecond: records / server.queriesSeconds,
    note: "goal: 1,000,000 in 60 s",
  });
  await server.stop();
  fs.rmSync(directory, { recursive: true, force: true });
  return rows;
}
