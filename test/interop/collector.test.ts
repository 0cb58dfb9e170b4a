import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { freePort, startCollector } from "../support/collector.js";
import { describePeer } from "../support/describe-peer.js";
import { exportedRecords, Ledger } from "../support/ledger.js";
import { ROOT, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const ONE_SERVER = path.join(ROOT, "otel-config.yaml");
const TWO_SERVERS = path.join(ROOT, "examples/otel-config-two-servers.yaml");
const OUTAGE_MILLIS = 60_000;
/** The Collector tries again after at most 30 s, and then has a minute's queue to send. */
const DRAIN_MILLIS = 120_000;

describePeer("otelcol", ["bash", "go"], (binary) => {
  it.each([ONE_SERVER, TWO_SERVERS])(
    "accepts %s, as it stands and with its variables set",
    (file) => {
      for (const env of [{}, { OTELCOL_QUEUE_DIR: "/tmp/queue", OTELCOL_LISTEN: "127.0.0.1:1" }]) {
        const result = childProcess.spawnSync(binary(), ["validate", `--config=${file}`], {
          encoding: "utf8",
          env: { ...process.env, ...env },
        });
        expect(result.stderr).toBe("");
        expect(result.status).toBe(0);
      }
    },
  );

  it("delivers every record once through kill -9 of the server, again and again", async () => {
    const chain = await startChain(binary(), ONE_SERVER, ["AGENT_AUDIT_LOGS_ENDPOINT"]);
    for (let round = 0; round < 5; round++) {
      await chain.send(10);
      await chain.killServer(0);
      await chain.send(10);
      await chain.startServer(0);
    }
    await chain.expectAllOnce();
  });

  it("delivers every record once through 60 s without the server and kill -9 of the Collector", async () => {
    const chain = await startChain(binary(), ONE_SERVER, ["AGENT_AUDIT_LOGS_ENDPOINT"]);
    await chain.send(10);
    await chain.killServer(0);
    const end = performance.now() + OUTAGE_MILLIS;
    for (let round = 0; performance.now() < end; round++) {
      await chain.send(10);
      if (round % 3 === 1) await chain.killCollector();
      await sleep(5000);
    }
    await chain.startServer(0);
    await chain.send(10);
    await chain.expectAllOnce();
  });

  it("gives two servers the same trail, whichever is killed", async () => {
    const chain = await startChain(binary(), TWO_SERVERS, ["AGENT_AUDIT_A", "AGENT_AUDIT_B"]);
    for (const victim of [0, 1, 0, 1]) {
      await chain.send(10);
      await chain.killServer(victim);
      await chain.send(10);
      await chain.startServer(victim);
    }
    await chain.expectAllOnce();
  });
});

/** Starts servers behind a Collector with its queue on disk; `endpoints` are the variables that lead to them. */
async function startChain(binary: string, config: string, endpoints: string[]) {
  const queue = temporaryDirectory();
  const ports = await Promise.all(endpoints.map(freePort));
  const data = endpoints.map(temporaryDirectory);
  const serve = (i: number) => startServer(data[i] as string, ["--otlp", `127.0.0.1:${ports[i]}`]);
  const servers = await Promise.all(endpoints.map((_, i) => serve(i)));
  const env = {
    OTELCOL_LISTEN: `127.0.0.1:${await freePort()}`,
    OTELCOL_QUEUE_DIR: queue,
    ...Object.fromEntries(
      endpoints.map((name, i) => [name, `http://127.0.0.1:${ports[i]}/v1/logs`]),
    ),
  };
  let collector = await startCollector(binary, config, env);
  const ledger = new Ledger();
  return {
    killServer: (i: number) => servers[i]?.kill(),
    startServer: async (i: number) => {
      servers[i] = await serve(i);
    },
    killCollector: async () => {
      await collector.kill();
      collector = await startCollector(binary, config, env);
    },
    /** Sends requests of 50 records, each again until the Collector has taken it. */
    send: async (requests: number) => {
      for (let i = 0; i < requests; i++) {
        const ids = ledger.issue(50);
        const send = () => ledger.send(collector.url, ids);
        await expect.poll(send, { timeout: 20_000 }).toBe(200);
      }
    },
    /** Waits until each server has all that was sent, then compares. */
    expectAllOnce: async () => {
      const sent = [...ledger.acknowledged];
      for (const server of servers) {
        const count = async () => (await exportedRecords(server.apiUrl)).length;
        await expect
          .poll(count, { timeout: DRAIN_MILLIS, interval: 500 })
          .toBeGreaterThanOrEqual(sent.length);
        await ledger.compareWith(server, sent);
      }
      if (servers.length === 2) compareByCommand(servers.map(({ apiUrl }) => apiUrl));
      console.log(`${sent.length} records, ${servers.length} servers, 0 lost, 0 doubled`);
    },
  };
}

/** Compares as docs/operating.md says; each server has one record more, which the other never got. */
function compareByCommand(apiUrls: string[]): void {
  const page = fs.readFileSync(path.join(ROOT, "docs/operating.md"), "utf8");
  const script = /## Two servers[\s\S]*?```sh\n([\s\S]*?)```/.exec(page)?.[1] as string;
  const [A, B] = apiUrls;
  const here = script.replaceAll("/tmp", temporaryDirectory());
  const result = childProcess.spawnSync("sh", ["-uc", here], {
    encoding: "utf8",
    env: { ...process.env, A, B, KEY: "none" },
  });
  const differences = result.stdout.split("\n").filter((line) => /^[<>]/.test(line));
  expect(differences.map((line) => line[0]).sort(), result.stderr).toEqual(["<", ">"]);
  expect(result.status).toBe(1);
}
