// Queries over 30 days of events in 30 segments, beside plain SQL on one file, and beside ingest.
import fs from "node:fs";
import path from "node:path";
import { encodeCursor, walkOf } from "../query/dist/cursor.js";
import { parseTime } from "../query/dist/time.js";
import { prepareScript, runScript, startServer, temporaryDirectory } from "./processes.mjs";
import { catalogEvents, queryData } from "./query-data.mjs";

const RECORDS = 10_000_000;
const QUICK_RECORDS = 30_000;
const PAGE = 200;
const DEEP_PAGE = 10_000;
const BATCH_RECORDS = 512;
const CONNECTIONS = 8;
const QUERY_CLIENTS = 10;
/** A p99 of some hundred requests differs by four between runs: it is taken of all rounds together, idle and busy in turns. */
const ROUNDS = 5;

/** Filters of a page, from frequent to none, as parameters and as SQL. */
const FILTERS = [
  ["", "true"],
  ["source=llm-proxy", "source = 'llm-proxy'"],
  ["agent=agt_450", "agent_id = 'agt_450'"],
  ["result=error&action=tool/1990", "result = 'error' AND action = 'tool/1990'"],
  ["resource_id=res/none", "resource_id = 'res/none'"],
];

const FACETS = ["source", "actor_type", "result", "action_type", "resource_type"];

/** @param quick fewer records: shows that it runs, not how fast it is */
export async function benchQuery(quick) {
  const records = quick ? QUICK_RECORDS : RECORDS;
  const runs = quick ? 3 : 15;
  const { home, data, config } = await queryData(records);
  const file = path.join(home, "one-file.duckdb");
  if (!fs.existsSync(file)) {
    await runScript("./straight-sql.mjs", "build", data, `${file}.new`);
    fs.renameSync(`${file}.new`, file);
  }
  const peers = await runScript(
    "./straight-sql.mjs",
    "run",
    file,
    JSON.stringify(straightStatements()),
    runs,
  );
  const server = await startServer(data, ["--config", config]);
  const median = (route) => medianMillis(`${server.apiUrl}api/v1/${route}`, runs);
  const rows = [];
  for (const [filter] of FILTERS) {
    const millis = await median(`events?limit=${PAGE}&${filter}`);
    const goal = filter === "" ? "60 ms" : "1.3 x + 2 ms, and 0.5 ms for each segment looked into";
    rows.push(row(`page of ${PAGE} ${filter || "unfiltered"}`, millis, peers[filter], goal));
  }
  const search = await median(`events?limit=${PAGE}&q=did%20204799`);
  rows.push(row("page by q, rare", search, null, "-"));
  const page = quick ? 50 : DEEP_PAGE;
  const { byCursor, byTime } = await deepPage(server, records, page);
  const [deep, there] = [await median(byCursor), await median(byTime)];
  rows.push(row(`page ${page} of a walk`, deep, there, "1.3 x", "the same asked for by time"));
  const first = await median(`events?limit=${PAGE}`);
  rows.push(row("  beside page 1", deep, first, "-", "page 1"));
  rows.push(row("facets", await median("facets"), peers.facets, "0.7 x"));
  const series = await median("timeseries?interval=hour&by=source");
  rows.push(row("hourly series by source", series, peers.series, "0.3 x"));
  const berlin = await median("timeseries?interval=day&by=model&tz=Europe/Berlin");
  rows.push(row("daily cost by model in a zone", berlin, null, "-"));
  const aggregate = await median("aggregate?by=agent&by=source&limit=100");
  rows.push(row("aggregate by agent and source", aggregate, peers.aggregate, "-"));
  await server.stop();
  return [...rows, ...(await besideIngest(data, config, quick))];
}

function row(what, millis, peerMillis, goal, peer = "one file") {
  const ratio =
    peerMillis == null
      ? ""
      : `, ${(millis / peerMillis).toFixed(2)} x of ${peer}'s ${peerMillis.toFixed(0)} ms`;
  return { what, perSecond: null, note: `${millis.toFixed(0)} ms${ratio}; goal ${goal}` };
}

/** The same questions in SQL on the one file. Pages find their keys first, which is the faster way there, too. */
function straightStatements() {
  const visible = "(source IS NULL OR source <> 'system') AND (phase IS NULL OR phase <> 'start')";
  const sums =
    "count(*), count(*) FILTER (result = 'success'), count(*) FILTER (result = 'failure'), count(*) FILTER (result = 'error'), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens), sum(cost_nano)";
  const hour = "time_bucket(INTERVAL '1 hour', make_timestamp_ns(time::BIGINT)::TIMESTAMP)";
  const pages = FILTERS.map(([name, where]) => [
    name,
    `SELECT * FROM e WHERE ${visible} AND ${where} ORDER BY time DESC, seq DESC LIMIT ${PAGE}`,
  ]);
  return {
    ...Object.fromEntries(pages),
    facets: FACETS.map((name) => `SELECT ${name}, count(*) FROM e WHERE ${visible} GROUP BY 1`),
    series: `SELECT ${hour}, source, currency, ${sums} FROM e WHERE ${visible} GROUP BY ALL`,
    aggregate: `SELECT agent_id, source, ${sums}, avg(duration_ns), quantile_cont(duration_ns, [0.5, 0.95]), max(duration_ns) FROM e WHERE ${visible} GROUP BY ALL ORDER BY 3 DESC LIMIT 100`,
  };
}

async function medianMillis(url, runs) {
  const times = [];
  for (let i = 0; i < runs + 2; i++) {
    const begin = performance.now();
    const response = await fetch(url);
    const text = await response.text();
    if (!response.ok) throw new Error(`${url}: ${text}`);
    if (i >= 2) times.push(performance.now() - begin);
  }
  return middle(times);
}

/** The cursor that a walk has there, read off the events instead of walking for an hour, and the same page by its time. */
async function deepPage({ apiUrl }, records, page) {
  const search = new URLSearchParams({ limit: String(PAGE) });
  const status = await (await fetch(`${apiUrl}api/v1/status`)).json();
  // Times grow evenly with the sequence.
  const about = records - page * PAGE;
  const event = await (await fetch(`${apiUrl}api/v1/events/seq:${about}`)).json();
  const time = parseTime("time", event.time, 0n);
  const maxSeq = BigInt(status.applied_seq);
  const position = { maxSeq, fromNano: null, toNano: null, time, seq: BigInt(about) };
  return {
    byCursor: `events?${search}&cursor=${encodeCursor(position, walkOf(search, status.store_id))}`,
    byTime: `events?${search}&to=${encodeURIComponent(event.time)}`,
  };
}

/**
 * On a copy: the kept data must stay as it is. Half of what is applied is a load that a server can carry for ever; half of
 * what is acknowledged is more than it applies, so that it falls behind.
 */
async function besideIngest(data, config, quick) {
  const copy = linkedCopy(data);
  const server = await startServer(copy, ["--config", config]);
  const batches = quick ? 40 : 1_000;
  const prepare = (rate) =>
    prepareScript("./send.mjs", server.otlpUrl, batches, BATCH_RECORDS, CONNECTIONS, rate);
  let { applied_seq: sent } = await (await fetch(`${server.apiUrl}api/v1/status`)).json();
  const sendAll = await prepare(0);
  const begin = performance.now();
  const full = await sendAll();
  sent += full.records;
  await server.applied(sent);
  const half = {
    applied: full.records / ((performance.now() - begin) / 1000) / 2,
    acknowledged: full.perSecond / 2,
  };
  /** Waits until all is applied and the next records are made, and gives what sends them. */
  const prepareAt = async (rate) => {
    const send = await prepare(rate);
    await server.applied(sent);
    return async () => {
      const sending = await send();
      sent += sending.records;
      return sending;
    };
  };
  // Of each, the times of every round.
  const millis = { idleQueries: [], queries: [], overloadQueries: [], idleSends: [], sends: [] };
  let refused = 0;
  let retries = 0;
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    const sendIdle = await prepareAt(half.acknowledged);
    const idle = await queryMillis(server, 1, async () => {
      await new Promise((resolve) => setTimeout(resolve, quick ? 500 : 12_000));
    });
    millis.idleQueries.push(idle.times);
    millis.idleSends.push((await sendIdle()).latencies);
    const queries = await queryMillis(server, 1, await prepareAt(half.applied));
    millis.queries.push(queries.times);
    const overload = await queryMillis(server, 1, await prepareAt(half.acknowledged));
    millis.overloadQueries.push(overload.times);
    const sendBeside = await prepareAt(half.acknowledged);
    const many = await queryMillis(server, QUERY_CLIENTS, async () => {
      const sending = await sendBeside();
      millis.sends.push(sending.latencies);
      retries += sending.retries;
    });
    refused += queries.refused + overload.refused + many.refused;
  }
  await server.stop();
  fs.rmSync(copy, { recursive: true, force: true });
  const compared = (what, busy, idle, goal) => ({
    what,
    perSecond: null,
    note: `p99 ${told(busy)}, idle ${told(idle)}: ${(p99(busy.flat()) / p99(idle.flat())).toFixed(2)} x; goal ${goal}`,
  });
  const at = (perSecond) => `page while ingesting ${Math.round(perSecond)}/s, half of what is`;
  const { idleQueries } = millis;
  const sends = compared(
    `ingest with ${QUERY_CLIENTS} asking clients`,
    millis.sends,
    millis.idleSends,
    "2 x",
  );
  sends.note += `; ${retries} sent again, ${refused} queries refused`;
  return [
    compared(`${at(half.applied)} applied`, millis.queries, idleQueries, "2 x"),
    compared(`${at(half.acknowledged)} acknowledged`, millis.overloadQueries, idleQueries, "-"),
    sends,
  ];
}

/** The p99 of all rounds, and each one's. */
function told(rounds) {
  const each = rounds.map((times) => p99(times).toFixed(0)).join(", ");
  return `${p99(rounds.flat()).toFixed(0)} ms of ${rounds.flat().length} (${each})`;
}

function middle(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Sealed files are linked, not copied: nobody writes to them. */
function linkedCopy(data) {
  const copy = temporaryDirectory();
  const sealed = new Set(
    catalogEvents(data, "sealed").map(({ segment }) => `events/${segment}.duckdb`),
  );
  for (const entry of fs.readdirSync(data, { recursive: true, withFileTypes: true })) {
    const from = path.join(entry.parentPath, entry.name);
    const name = path.relative(data, from);
    const to = path.join(copy, name);
    if (entry.isDirectory()) fs.mkdirSync(to, { recursive: true });
    else if (sealed.has(name) || name.endsWith(".gz")) linkOrCopy(from, to);
    else fs.copyFileSync(from, to);
  }
  return copy;
}

function linkOrCopy(from, to) {
  try {
    fs.linkSync(from, to);
  } catch {
    fs.copyFileSync(from, to);
  }
}

/** Asks for pages until something is done. */
async function queryMillis({ apiUrl }, clients, until) {
  const times = [];
  let refused = 0;
  let isDone = false;
  const asking = Array.from({ length: clients }, async (_, i) => {
    while (!isDone) {
      const filter = FILTERS[(times.length + i) % FILTERS.length][0];
      const begin = performance.now();
      const response = await fetch(`${apiUrl}api/v1/events?limit=${PAGE}&${filter}`);
      await response.text();
      if (response.ok) times.push(performance.now() - begin);
      else refused++;
    }
  });
  await until();
  isDone = true;
  await Promise.all(asking);
  return { times, refused };
}

function p99(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Number.NaN;
}
