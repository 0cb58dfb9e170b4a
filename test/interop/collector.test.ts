import childProcess from "node:child_process";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeLogsRequest } from "@agent-audit/otlp";
import { expect, it } from "vitest";
import { cleanUp } from "../support/clean-up.js";
import { describePeer } from "../support/describe-peer.js";
import { exportedRecords, idOf } from "../support/ledger.js";
import { requestOf, sampleEvent } from "../support/sample-logs.js";
import { ROOT, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const CONFIG = path.join(ROOT, "otel-config.yaml");
const OUTAGE_MILLIS = 60_000;
/** The Collector tries again after at most 30 s, and then has a minute's queue to send. */
const DRAIN_MILLIS = 120_000;

describePeer("otelcol", ["bash", "go"], (binary) => {
  it("accepts otel-config.yaml, as it stands and with its variables set", () => {
    for (const env of [{}, { OTELCOL_QUEUE_DIR: "/tmp/queue", OTELCOL_LISTEN: "127.0.0.1:1" }]) {
      const result = childProcess.spawnSync(binary(), ["validate", `--config=${CONFIG}`], {
        encoding: "utf8",
        env: { ...process.env, ...env },
      });
      expect(result.stderr).toBe("");
      expect(result.status).toBe(0);
    }
  });

  it("delivers every record once through kill -9 of the server, again and again", async () => {
    const chain = await startChain(binary());
    for (let round = 0; round < 5; round++) {
      await chain.send(500);
      await chain.server.kill();
      await chain.send(500);
      await chain.startServer();
    }
    await chain.expectAllOnce();
  });

  it("delivers every record once through 60 s without the server and kill -9 of the Collector", async () => {
    const chain = await startChain(binary());
    await chain.send(500);
    await chain.server.kill();
    const end = performance.now() + OUTAGE_MILLIS;
    for (let round = 0; performance.now() < end; round++) {
      await chain.send(500);
      if (round % 3 === 1) await chain.killCollector();
      await sleep(5000);
    }
    await chain.startServer();
    await chain.send(500);
    await chain.expectAllOnce();
  });
});

/** Starts the Collector with its queue on disk in front of the server, each of which can be killed. */
async function startChain(binary: string) {
  const [data, queue] = [temporaryDirectory(), temporaryDirectory()];
  const [otlp, port] = [await freePort(), await freePort()];
  const endpoint = `http://127.0.0.1:${otlp}/v1/logs`;
  const serve = () => startServer(data, ["--otlp", `127.0.0.1:${otlp}`]);
  let collector = await startCollector(binary, endpoint, port, queue);
  let sent = 0;
  const chain = {
    server: await serve(),
    startServer: async () => {
      chain.server = await serve();
    },
    killCollector: async () => {
      collector.kill("SIGKILL");
      await new Promise((resolve) => collector.once("close", resolve));
      collector = await startCollector(binary, endpoint, port, queue);
    },
    /** Sends records in requests of 50, each again until the Collector has taken it. */
    send: async (count: number) => {
      for (const end = sent + count; sent < end; sent += 50) {
        await deliver(
          port,
          Array.from({ length: 50 }, (_, i) => `r-${sent + i}`),
        );
      }
    },
    /** Waits until the server has all that was sent, then compares. */
    expectAllOnce: async () => {
      const ids = async () => (await exportedRecords(chain.server.apiUrl)).map(idOf);
      await expect
        .poll(async () => new Set(await ids()).size, { timeout: DRAIN_MILLIS, interval: 500 })
        .toBe(sent);
      const found = await ids();
      expect(found.length - new Set(found).size, "doubled").toBe(0);
      console.log(`${sent} records, 0 lost, 0 doubled`);
    },
  };
  return chain;
}

async function startCollector(binary: string, endpoint: string, port: number, queue: string) {
  const collector = childProcess.spawn(binary, [`--config=${CONFIG}`], {
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
