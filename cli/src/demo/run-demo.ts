import net from "node:net";
import { parseListenAddress } from "@agent-audit/access";
import { QueryClient } from "@agent-audit/query/client";
import { displayOf } from "../display.js";
import { EXIT_TRY_AGAIN } from "../exit-codes.js";
import { type RunningServer, startServer } from "../server.js";
import { loadServerConfig, type ServerOptions } from "../server-config.js";
import { createServerLog } from "../server-log.js";
import { aggregateTable, eventsTable } from "../tables.js";
import { timeseriesChart } from "../timeseries-chart.js";
import { runAgent } from "./run-agent.js";

/** Runs the demo: a server, an agent that acts through real surfaces, and its trail in tables. */
export async function runDemo(options: ServerOptions & { once?: boolean }): Promise<void> {
  const { config } = loadServerConfig(options);
  if (options.otlp === undefined)
    config.otlp.listen = await freeAddress(config.otlp.listen, "OTLP");
  if (options.http === undefined) config.http.listen = await freeAddress(config.http.listen, "API");
  const log = createServerLog();
  log.level = "warn";
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => stopping.abort());
  const server = await startServer(config, {
    log,
    onFatal: (error) => {
      log.fatal({ error: error.message }, "the server cannot go on; its next start recovers");
      process.exit(EXIT_TRY_AGAIN);
    },
  });
  try {
    await demonstrate(server, {
      data: config.data,
      isOnce: options.once === true,
      signal: stopping.signal,
    });
  } catch (error) {
    // What a stop breaks off is no fault.
    if (!stopping.signal.aborted) throw error;
  } finally {
    await server.stop();
  }
  process.exit(0);
}

interface Demonstration {
  data: string;
  isOnce: boolean;
  /** Ends it. */
  signal: AbortSignal;
}

async function demonstrate(
  server: RunningServer,
  { data, isOnce, signal }: Demonstration,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve());
  });
  await Promise.race([server.queriesReady, stopped]);
  say(`Server up, data in ${data}. An agent now uses three MCP servers and a shell …`);
  await runAgent(server.otlpUrl, signal);
  await printTrail(new QueryClient(server.apiUrl));
  if (isOnce) return;
  say(
    `\nThe server stays up; Ctrl-C ends it.\n  OTLP  ${server.otlpUrl}/v1/logs\n  API   ${server.apiUrl}/\n` +
      `  try   curl '${server.apiUrl}/api/v1/events?source=mcp-tool&result=success&limit=5'`,
  );
  await stopped;
}

async function printTrail(client: QueryClient): Promise<void> {
  const { journal_seq: seq } = await client.get("status");
  const applied: [string, string] = ["min_seq", String(seq)];
  const { events } = await client.get("events", [["limit", "20"], applied]);
  say(`\nThe last ${events.length} events, newest first:\n\n${eventsTable(events, displayOf())}`);
  const groups = await client.get("aggregate", [
    ["by", "source"],
    ["by", "result"],
  ]);
  say(`\nBy source and result:\n\n${aggregateTable(groups, displayOf())}`);
  const series = await client.get("timeseries", [
    ["interval", "15m"],
    ["last", "1h"],
  ]);
  say(`\nOver the last hour:\n\n${timeseriesChart(series, displayOf())}`);
}

/** Gives the address, or a free port beside it when another process has it. */
async function freeAddress(text: string, what: string): Promise<string> {
  const { host, port } = parseListenAddress(text);
  const probe = net.createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
  if (isFree) return text;
  say(`${what}: ${text} is taken, so a free port is used.`);
  return `${host.includes(":") ? `[${host}]` : host}:0`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
