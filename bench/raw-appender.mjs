// The peer of applying: DuckDB's stock appender with 25 columns as plain strings and numbers, no HTTP, no decode.
// raw-appender.mjs DIRECTORY ROWS -> one JSON line.
import path from "node:path";
import {
  BIGINT,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBInstance,
  INTEGER,
  VARCHAR,
} from "@duckdb/node-api";

const [directory, rowCount] = process.argv.slice(2);
const rows = Number(rowCount);
const CHUNK_ROWS = 2048;
const BATCH_ROWS = 122_880;

/** Type of each column and its value for row i. */
const COLUMNS = [
  [BIGINT, (i) => BigInt(i)],
  [BIGINT, (i) => 1_790_000_000_000_000_000n + BigInt(i) * 1_000_000n],
  [BIGINT, (i) => 1_790_000_000_000_000_000n + BigInt(i)],
  [DOUBLE, (i) => (i % 3000) / 1000],
  [INTEGER, () => 200],
  [BIGINT, (i) => BigInt(i % 9000)],
  [BIGINT, (i) => BigInt(i % 900)],
  [BIGINT, (i) => BigInt(i)],
  [VARCHAR, (i) => `bench-1234-1790000000000-${i}`],
  [VARCHAR, () => "bench-1234-1790000000000"],
  [VARCHAR, () => "mcp-tool"],
  [VARCHAR, () => "agent"],
  [VARCHAR, (i) => `agt_${i % 500}`],
  [VARCHAR, (i) => `builder agt_${i % 500}`],
  [VARCHAR, () => "tool_call"],
  [VARCHAR, (i) => `tool/${(i * 7) % 2000}`],
  [VARCHAR, () => "mcp.tool"],
  [VARCHAR, (i) => `res/${(i * 13) % 20_000}`],
  [VARCHAR, (i) => (i % 20 ? "success" : "failure")],
  [VARCHAR, () => "org_1"],
  [VARCHAR, (i) => `prj_${i % 20}`],
  [VARCHAR, () => "m-large"],
  [VARCHAR, (i) => `agt_${i % 500} did ${i}`],
  [VARCHAR, (i) => ((i * 2_654_435_761) >>> 0).toString(16).padStart(32, "0")],
  [VARCHAR, (i) => `{"sha256":"${((i * 40_503) >>> 0).toString(16).padStart(64, "0")}"}`],
];

const types = COLUMNS.map(([type]) => type);
const instance = await DuckDBInstance.create(path.join(directory, "raw.duckdb"));
const connection = await instance.connect();
await connection.run("SET checkpoint_threshold='4GiB'");
await connection.run(
  `CREATE TABLE e (${types.map((type, i) => `c${i} ${type} NOT NULL`).join(", ")})`,
);

// Values exist before the clock starts: what is measured is filling, appending and committing.
const chunks = [];
for (let start = 0; start < rows; start += CHUNK_ROWS) {
  const length = Math.min(CHUNK_ROWS, rows - start);
  chunks.push(COLUMNS.map(([, value]) => Array.from({ length }, (_, i) => value(start + i))));
}

const begin = performance.now();
for (let at = 0; at < chunks.length; at += BATCH_ROWS / CHUNK_ROWS) {
  await connection.run("BEGIN");
  const appender = await connection.createAppender("e");
  for (const columns of chunks.slice(at, at + BATCH_ROWS / CHUNK_ROWS)) {
    const chunk = DuckDBDataChunk.create(types, columns[0].length);
    chunk.setColumns(columns);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
  await connection.run("COMMIT");
}
const seconds = (performance.now() - begin) / 1000;
console.log(JSON.stringify({ rows, seconds, perSecond: rows / seconds }));
