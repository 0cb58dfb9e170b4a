import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { addKey, keyFile, makeKey, revokeKey } from "@agent-audit/access";
import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

/** Some twenty slices of 1 MB: more than a connection holds by itself, and each less. */
const REQUESTS = 40;
const RECORDS_EACH = 1_000;
const STALL_MILLIS = 3_000;

async function startWithLargeTrail(exportStallMillis?: number) {
  const data = temporaryDirectory();
  const server = await startQuery(data, undefined, undefined, undefined, { exportStallMillis });
  const body = sampleBody(...Array.from({ length: RECORDS_EACH }, () => sampleEvent()));
  for (let i = 0; i < REQUESTS; i++) server.append(body, RECORDS_EACH);
  await server.settle();
  const url = `${server.server.url}/api/v1/export`;
  return { ...server, data, url };
}

/** Asks, and reads nothing yet. */
async function ask(url: string, key = "") {
  const headers = key === "" ? {} : { Authorization: `Bearer ${key}` };
  const request = http.get(url, { headers, agent: false }).on("error", () => {});
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  // How it ended is looked at in `readAll`.
  response.on("error", () => {});
  return response;
}

/** Reads to the end, whichever. */
async function readAll(response: http.IncomingMessage) {
  let bytes = 0;
  let tail = "";
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    tail = chunk.subarray(-40).toString();
  });
  if (!response.closed) await new Promise((resolve) => response.once("close", resolve));
  return { bytes, tail, isComplete: response.complete };
}

/** Whether no export is running. */
async function haveAllPlaces(url: string): Promise<boolean> {
  const answers = await Promise.all(Array.from({ length: 4 }, () => ask(url)));
  for (const answer of answers) answer.destroy();
  return answers.every(({ statusCode }) => statusCode === 200);
}

describe("GET /api/v1/export", () => {
  it("says where the next one goes on", async () => {
    const { url, append } = await startWithLargeTrail();
    const response = await ask(`${url}?after_seq=${REQUESTS * RECORDS_EACH - 1}`);
    append(sampleBody(sampleEvent()), 1);
    expect(response.headers["agent-audit-seq"]).toBe(String(REQUESTS * RECORDS_EACH));
    expect(await readAll(response)).toMatchObject({ isComplete: true });
  });

  it("is cut off, and does not end as if it were complete, once its key is revoked", async () => {
    const { data, url, errors, server } = await startWithLargeTrail();
    const made = makeKey({ scope: "read" }, new Date());
    addKey(keyFile(data), made.key);
    const response = await ask(url, made.text);
    expect(response.statusCode).toBe(200);
    revokeKey(keyFile(data), made.key.id, new Date());
    const headers = { Authorization: `Bearer ${made.text}` };
    const isLetIn = async () => (await fetch(`${server.url}/api/v1/facets`, { headers })).ok;
    await expect.poll(isLetIn, { timeout: 10_000 }).toBe(false);
    const { bytes, tail, isComplete } = await readAll(response);
    expect(bytes).toBeLessThan(20_000_000);
    expect(tail).not.toContain("Error");
    expect(isComplete).toBe(false);
    expect(errors).toEqual([]);
  });

  it("is one of four at once, and cut off when its reader takes nothing", async () => {
    const { url } = await startWithLargeTrail(STALL_MILLIS);
    const stalled = await Promise.all(Array.from({ length: 4 }, () => ask(url)));
    expect(stalled.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    expect((await ask(url)).statusCode).toBe(429);
    await expect.poll(() => haveAllPlaces(url), { timeout: 30_000 }).toBe(true);
    const answers = await Promise.all(stalled.map(readAll));
    expect(answers.map(({ isComplete }) => isComplete)).toEqual([false, false, false, false]);
  });

  it("counts no more when its reader has left, whichever way, which is nobody's fault", async () => {
    const { url, errors } = await startWithLargeTrail();
    for (let i = 0; i < 5; i++) (await ask(url)).destroy();
    const { hostname, port, pathname } = new URL(url);
    for (let i = 0; i < 2; i++) {
      const socket = net.connect(Number(port), hostname);
      socket.on("error", () => {});
      socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`.repeat(4));
      await once(socket, "data");
      socket.destroy();
    }
    await expect.poll(() => haveAllPlaces(url), { timeout: 10_000 }).toBe(true);
    expect(errors).toEqual([]);
  });

  it("is refused where its reader could not tell that it is cut off", async () => {
    const { url } = await startWithLargeTrail();
    const { hostname, port, pathname } = new URL(url);
    const socket = net.connect(Number(port), hostname);
    socket.write(`GET ${pathname} HTTP/1.0\r\nHost: ${hostname}\r\n\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    expect(answer.toString()).toMatch(/ 400 Bad Request.*invalid_http_version/s);
  });
});
