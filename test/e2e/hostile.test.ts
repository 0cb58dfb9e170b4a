import fs from "node:fs";
import net from "node:net";
import zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { cleanUp } from "../support/clean-up.js";
import { healthDuring } from "../support/health-probe.js";
import { largeBodies, residentMib } from "../support/large-bodies.js";
import { mutatedBodies } from "../support/mutated-bodies.js";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { runSeed } from "../support/seeded.js";
import { startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const PROTOBUF = "application/x-protobuf";
/** Liveness: five times what the server is expected to need. */
const HEALTH_MILLIS = 5 * 100;

type Server = Awaited<ReturnType<typeof startServer>>;

const post = (server: Server, type: string, body: Uint8Array, encoding = "identity") =>
  fetch(server.otlpUrl, {
    method: "POST",
    headers: { "Content-Type": type, "Content-Encoding": encoding },
    body: body as never,
  }).then(({ status }) => status);

/** Opens a request that announces a body and sends only a part of it. */
function announce(server: Server, announcedBytes: number, sentBytes: number): net.Socket {
  const socket = net.connect(Number(new URL(server.otlpUrl).port), "127.0.0.1");
  cleanUp(() => socket.destroy());
  socket.on("error", () => {});
  const head = `POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${announcedBytes}\r\n\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), Buffer.alloc(sentBytes)]));
  return socket;
}

/** A gzip stream of 1 GiB of zeros, as members of 64 MiB. */
function bomb(): Buffer {
  const member = zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024));
  return Buffer.concat(Array.from({ length: 16 }, () => member));
}

describe("hostile requests", () => {
  it("leave the server alive, its memory bounded and the next event stored", async () => {
    const server = await startServer(temporaryDirectory());
    const idle = residentMib(server);
    for (let i = 0; i < 200; i++) announce(server, 1000, 1);
    const nested = Buffer.from(`{"resourceLogs":${"[".repeat(200_000)}${"]".repeat(200_000)}}`);
    const deep = Buffer.from(`{"x":${"[".repeat(200_000)}${"]".repeat(200_000)}}`);
    const statuses: number[] = [];
    const attack = async () => {
      statuses.push(await post(server, PROTOBUF, bomb(), "gzip"));
      statuses.push(await post(server, "application/json", nested));
      statuses.push(await post(server, "application/json", deep));
    };
    const { maxMillis: longest } = await healthDuring(server.endpoint, attack);
    console.log(
      `longest /healthz ${longest.toFixed(0)} ms, memory +${(residentMib(server) - idle).toFixed(0)} MiB`,
    );
    expect(statuses).toEqual([413, 400, 200]);
    expect(longest).toBeLessThan(HEALTH_MILLIS);
    expect(residentMib(server) - idle).toBeLessThan(512);
    expect(await post(server, PROTOBUF, sampleBody(sampleEvent({ id: "after" })))).toBe(200);
  });

  it("of random and mutated bytes get only documented answers", async () => {
    await mutatedBodies(await startServer(temporaryDirectory()), 400, runSeed());
  });

  it("that hold more bytes than the server may hold at once get 503, and later ones 200", async () => {
    const directory = temporaryDirectory();
    const file = `${directory}/agent-audit.yaml`;
    fs.writeFileSync(file, "otlp: { max_body_bytes: 1000000, max_in_flight_bytes: 2100000 }\n");
    const server = await startServer(`${directory}/data`, ["--config", file]);
    const holders = Array.from({ length: 2 }, () => announce(server, 900_000, 800_000));
    const text = "x".repeat(40_000);
    const events = Array.from({ length: 20 }, (_, i) =>
      sampleEvent({ id: `${i}`, metadata: { text } }),
    );
    const large = sampleBody(...events);
    // Only their arrival counts, and nothing tells of it.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect.poll(() => post(server, PROTOBUF, large)).toBe(503);
    for (const holder of holders) holder.destroy();
    await expect.poll(() => post(server, PROTOBUF, large)).toBe(200);
  });

  it("that announce bodies and send nothing hold nothing", async () => {
    const server = await startServer(temporaryDirectory());
    for (let i = 0; i < 200; i++) announce(server, 60_000_000, 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (let i = 0; i < 5; i++) {
      expect(await post(server, PROTOBUF, sampleBody(sampleEvent({ id: `${i}` })))).toBe(200);
    }
  });

  it("of many megabytes each are taken as far as there is room, the rest gets 503", async () => {
    const server = await startServer(temporaryDirectory());
    const { statuses, grownMib } = await largeBodies(server, 30, 8);
    expect(statuses.every((status) => [0, 200, 503].includes(status))).toBe(true);
    expect(statuses).toContain(200);
    expect(grownMib).toBeLessThan(512);
  });
});
