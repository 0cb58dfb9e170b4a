import zlib from "node:zlib";
import { writeLogsRequestJson } from "@agent-audit/otlp";
import { expect } from "vitest";
import { residentMib } from "./large-bodies.js";
import { requestOf, sampleBody, sampleEvent } from "./sample-logs.js";
import { seeded } from "./seeded.js";
import type { startServer } from "./start-server.js";

const MAX_GROWN_MIB = 256;

/**
 * Sends random bytes, and requests in both encodings of which some bytes are changed, cut off or repeated. Only
 * documented answers may come back, the server lives, its memory stays, and its queries still work.
 */
export async function mutatedBodies(
  server: Awaited<ReturnType<typeof startServer>>,
  count: number,
  seed: number,
): Promise<void> {
  console.log(`mutated bodies x ${count}, seed ${seed}`);
  const next = seeded(seed);
  const below = (n: number) => Math.floor(next() * n);
  const idleMib = residentMib(server);
  const seen = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const isJson = below(3) === 0;
    const events = [sampleEvent({ id: `${i}` }), sampleEvent({ metadata: { a: [1n, "x"] } })];
    const whole = isJson
      ? Buffer.from(writeLogsRequestJson(requestOf(...events)))
      : sampleBody(...events);
    const isRandom = below(4) === 0;
    const body = isRandom
      ? Buffer.from(Array.from({ length: below(300) }, () => below(256)))
      : mutated(whole, below);
    const isGzip = below(3) === 0;
    const sent = isGzip ? zlib.gzipSync(body) : body;
    if (isGzip && below(3) === 0) sent[below(sent.length)] = below(256);
    const { status } = await fetch(server.otlpUrl, {
      method: "POST",
      headers: {
        "Content-Type": isJson ? "application/json" : "application/x-protobuf",
        ...(isGzip ? { "Content-Encoding": "gzip" } : {}),
      },
      body: new Uint8Array(sent),
    });
    seen.set(status, (seen.get(status) ?? 0) + 1);
  }
  expect([...seen.keys()].filter((status) => ![200, 400, 413].includes(status))).toEqual([]);
  expect(seen.get(200)).toBeGreaterThan(0);
  expect(seen.get(400)).toBeGreaterThan(0);
  expect(server.child.exitCode).toBeNull();
  expect(residentMib(server) - idleMib).toBeLessThan(MAX_GROWN_MIB);
  expect((await server.get("facets")).total).toBeGreaterThan(0);
}

function mutated(bytes: Buffer, below: (n: number) => number): Buffer {
  const body = Buffer.from(bytes);
  for (let flips = below(4); flips > 0; flips--) body[below(body.length)] = below(256);
  switch (below(6)) {
    case 0:
      return body.subarray(0, below(body.length));
    case 1: {
      const start = below(body.length);
      return Buffer.concat([body, body.subarray(start, start + below(40))]);
    }
    default:
      return body;
  }
}
