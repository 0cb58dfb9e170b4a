// The events that the query benchmark asks about: 30 days of them in 30 segments. Made once by a server, from requests
// as they arrive, and kept.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runScript, startServer } from "./processes.mjs";

/** Change it with the generator: older data is then not used any more. */
const VERSION = 3;
const DAYS = 30;
const SEGMENTS = 30;
const BATCH_RECORDS = 512;
const CONNECTIONS = 8;
/** Of one sender process, which makes all its records first. */
const BATCHES_AT_ONCE = 400;

/** Gives the directory that keeps about `records` events, after making it where it is missing. */
export async function queryData(records) {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache");
  const home = path.join(cache, "agent-audit-bench", `query-${records}-v${VERSION}`);
  const data = path.join(home, "data");
  const config = path.join(home, "agent-audit.yaml");
  const finished = path.join(home, "finished");
  if (!fs.existsSync(finished)) {
    fs.rmSync(home, { recursive: true, force: true });
    fs.mkdirSync(home, { recursive: true });
    fs.writeFileSync(config, `segments: { max_records: ${Math.ceil(records / SEGMENTS)} }\n`);
    await make(data, config, records);
    fs.writeFileSync(finished, "");
  }
  return { home, data, config };
}

async function make(data, config, records) {
  const server = await startServer(data, ["--config", config]);
  const batches = Math.ceil(records / BATCH_RECORDS);
  const stepNano = (BigInt(DAYS) * 86_400_000_000_000n) / BigInt(records);
  for (let sent = 0; sent < batches; sent += BATCHES_AT_ONCE) {
    const first = sent * BATCH_RECORDS;
    const count = Math.min(BATCHES_AT_ONCE, batches - sent);
    const more = {
      seed: sent + 1,
      first,
      stepNano: String(stepNano),
      lateShare: 0.02,
      contentShare: 0.05,
    };
    const args = [count, BATCH_RECORDS, CONNECTIONS, 0, JSON.stringify(more)];
    await runScript("./send.mjs", server.otlpUrl, ...args);
    console.error(`  making the data, once: ${first + count * BATCH_RECORDS} of ${records} events`);
  }
  await server.applied(batches * BATCH_RECORDS);
  // Its own thread compresses what ended; a measurement beside it would measure that as well.
  while (hasJournalToSeal(data)) await sleep(1000);
  await server.stop();
}

/** Reads the lines of a data directory's catalog.log, of one kind. */
export function catalogEvents(data, kind) {
  const lines = fs.readFileSync(path.join(data, "catalog.log"), "utf8").trim().split("\n");
  // A checksum comes first.
  return lines
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))))
    .filter(({ event }) => event === kind);
}

function hasJournalToSeal(data) {
  const newest = BigInt(catalogEvents(data, "opened").at(-1).first_seq);
  return fs
    .readdirSync(path.join(data, "journal"))
    .some((name) => name.endsWith(".journal") && BigInt(name.slice(0, 20)) < newest);
}
