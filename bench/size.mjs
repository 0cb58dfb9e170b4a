// Bytes per event on disk, sealed, journal included, beside Parquet of the same rows.
import fs from "node:fs";
import path from "node:path";
import { journalNames, nodeDisk, sealJournal } from "@agent-audit/store";
import { DuckDBInstance } from "@duckdb/node-api";
import { runScript, startServer, temporaryDirectory } from "./processes.mjs";

const BATCH_RECORDS = 512;
const CONNECTIONS = 8;

/** @param quick fewer records: shows that it runs, not how small it is */
export async function benchSize(quick) {
  const batches = quick ? 40 : 800;
  const records = batches * BATCH_RECORDS;
  const data = temporaryDirectory();
  const server = await startServer(data);
  await runScript("./send.mjs", server.otlpUrl, batches, BATCH_RECORDS, CONNECTIONS);
  const status = async () => await (await fetch(`${server.apiUrl}api/v1/status`)).json();
  while ((await status()).applied_seq < records) await new Promise((done) => setTimeout(done, 50));
  await server.stop();

  const journal = path.join(data, "journal");
  for (const name of journalNames(journal)) sealJournal(nodeDisk, journal, name);
  const journalBytes = sizeOf(journal, ".journal.gz");
  const engineBytes = sizeOf(path.join(data, "events"), ".duckdb");
  const parquetBytes = await writeParquet(data);
  fs.rmSync(data, { recursive: true, force: true });
  const perRecord = (bytes) => `${Math.round(bytes / records)} B`;
  const total = journalBytes + engineBytes;
  return [
    {
      what: "an event on disk, sealed",
      perSecond: null,
      note: `${perRecord(total)}: journal ${perRecord(journalBytes)}, DuckDB ${perRecord(engineBytes)}`,
    },
    {
      what: "  Parquet with ZSTD, same rows",
      perSecond: null,
      note: `${perRecord(parquetBytes)}; we are at ${(total / parquetBytes).toFixed(2)} x, goal at most 3.5 x`,
    },
  ];
}

function sizeOf(directory, ending) {
  return fs
    .readdirSync(directory)
    .filter((name) => name.endsWith(ending))
    .reduce((sum, name) => sum + fs.statSync(path.join(directory, name)).size, 0);
}

async function writeParquet(data) {
  const events = path.join(data, "events");
  const file = path.join(data, "events.parquet");
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  for (const [i, name] of fs
    .readdirSync(events)
    .filter((n) => n.endsWith(".duckdb"))
    .entries()) {
    await connection.run(`ATTACH '${path.join(events, name)}' AS s${i} (READ_ONLY)`);
    await connection.run(`COPY s${i}.events TO '${file}.${i}' (FORMAT parquet, COMPRESSION zstd)`);
  }
  connection.closeSync();
  instance.closeSync();
  return fs
    .readdirSync(data)
    .filter((name) => name.startsWith("events.parquet"))
    .reduce((sum, name) => sum + fs.statSync(path.join(data, name)).size, 0);
}
