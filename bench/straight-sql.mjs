// The peer of queries: the same events as one table of one DuckDB file, asked by plain SQL without a server.
//   straight-sql.mjs build DATA_DIRECTORY FILE           makes the file from the segments of a stopped server
//   straight-sql.mjs run FILE STATEMENTS_AS_JSON RUNS    prints the median milliseconds of each statement, by name
import fs from "node:fs";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

const [command, ...args] = process.argv.slice(2);
console.log(JSON.stringify(await { build, run }[command](...args)));

async function build(data, file) {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  const events = path.join(data, "events");
  const segments = fs.readdirSync(events).filter((name) => name.endsWith(".duckdb"));
  const tables = [];
  for (const [i, name] of segments.entries()) {
    await connection.run(`ATTACH '${path.join(events, name)}' AS s${i} (READ_ONLY)`);
    tables.push(`s${i}.events`);
  }
  await connection.run(`CREATE TABLE e AS SELECT * EXCLUDE (content) FROM ${tables[0]} LIMIT 0`);
  // In the order of arrival, as the segments have them; content is not asked for here.
  for (const table of await inOrder(connection, tables)) {
    await connection.run(`INSERT INTO e SELECT * EXCLUDE (content) FROM ${table}`);
  }
  await connection.run("CHECKPOINT");
  connection.closeSync();
  return { segments: segments.length };
}

async function inOrder(connection, tables) {
  const firsts = await Promise.all(
    tables.map(async (table) => {
      const result = await connection.runAndReadAll(`SELECT min(seq) FROM ${table}`);
      return { table, seq: result.getRows()[0][0] };
    }),
  );
  return firsts.sort((a, b) => (a.seq < b.seq ? -1 : 1)).map(({ table }) => table);
}

async function run(file, statements, runs) {
  const instance = await DuckDBInstance.create(file, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  const medians = {};
  for (const [name, sql] of Object.entries(JSON.parse(statements))) {
    const times = [];
    for (let i = 0; i < Number(runs) + 2; i++) {
      const begin = performance.now();
      for (const part of [sql].flat()) (await connection.runAndReadAll(part)).getRowsJS();
      // The first two fill the caches.
      if (i >= 2) times.push(performance.now() - begin);
    }
    medians[name] = times.sort((a, b) => a - b)[times.length >> 1];
  }
  return medians;
}
