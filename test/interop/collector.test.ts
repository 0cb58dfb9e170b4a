import childProcess from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { writeLogsRequest } from "@agent-audit/otlp";
import { describe, expect, it } from "vitest";
import { cleanUp } from "../support/clean-up.js";
import { requestOf, sampleEvent } from "../support/sample-logs.js";
import { ROOT, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const CONFIG = path.join(ROOT, "otel-config.yaml");
const COLLECTOR = path.join(
  process.env.PEERS_HOME ??
    path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "agent-audit-peers"),
  "otelcol-0.165.0/otelcol-audit",
);
const isBuilt = fs.existsSync(COLLECTOR);

it.runIf(process.env.INTEROP_REQUIRE?.includes("otelcol"))("the Collector is built", () => {
  expect(isBuilt, `${COLLECTOR} is missing: run test/interop/peers/otelcol/build.sh`).toBe(true);
});

describe.skipIf(!isBuilt)("the OpenTelemetry Collector with otel-config.yaml", () => {
  it("accepts the file, as it stands and with its variables set", () => {
    for (const env of [{}, { OTELCOL_QUEUE_DIR: "/tmp/queue", OTELCOL_LISTEN: "127.0.0.1:1" }]) {
      const result = childProcess.spawnSync(COLLECTOR, ["validate", `--config=${CONFIG}`], {
        encoding: "utf8",
        env: { ...process.env, ...env },
      });
      expect(result.stderr).toBe("");
      expect(result.status).toBe(0);
    }
  });

  it("delivers every record through kill -9 of the server and of itself", async () => {
    const data = temporaryDirectory();
    const queue = temporaryDirectory();
    const [otlp, collectorPort] = [await freePort(), await freePort()];
    const endpoint = `http://127.0.0.1:${otlp}/v1/logs`;
    const serve = () => startServer(data, ["--otlp", `127.0.0.1:${otlp}`]);
    let collector = await startCollector(endpoint, collectorPort, queue);
    let server = await serve();
    const ids: string[] = [];
    const send = async (count: number) => {
      const batch = Array.from({ length: count }, (_, i) => `r-${ids.length + i}`);
      await deliver(collectorPort, batch);
      ids.push(...batch);
    };
    await send(50);
    await server.kill();
    await send(50);
    collector.kill("SIGKILL");
    await new Promise((resolve) => collector.once("close", resolve));
    collector = await startCollector(endpoint, collectorPort, queue);
    await send(50);
    server = await serve();
    const found = async () =>
      new Set((await server.get("events?limit=200")).events.map(({ id }: { id: string }) => id));
    await expect.poll(async () => (await found()).size, { timeout: 60_000 }).toBe(ids.length);
  });
});

async function startCollector(endpoint: string, port: number, queue: string) {
  const collector = childProcess.spawn(COLLECTOR, [`--config=${CONFIG}`], {
    stdio: "ignore",
    env: {
      ...process.env,
      AGENT_AUDIT_LOGS_ENDPOINT: endpoint,
      OTELCOL_LISTEN: `127.0.0.1:${port}`,
      OTELCOL_QUEUE_DIR: queue,
    },
  });
  cleanUp(() => collector.kill("SIGKILL"));
  await expect.poll(() => canConnect(port), { timeout: 20_000 }).toBe(true);
  return collector;
}

/** Sends one request to the Collector, again until it says 200. */
async function deliver(port: number, ids: string[]): Promise<void> {
  const body = writeLogsRequest(requestOf(...ids.map((id) => sampleEvent({ id }))));
  const status = () =>
    fetch(`http://127.0.0.1:${port}/v1/logs`, {
      method: "POST",
      headers: { "Content-Type": "application/x-protobuf" },
      body: new Uint8Array(body),
    }).then(
      (response) => response.status,
      () => 0,
    );
  await expect.poll(status, { timeout: 20_000 }).toBe(200);
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
