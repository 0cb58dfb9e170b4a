import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import zlib from "node:zlib";
import { writeLogsRequest } from "@agent-audit/otlp";
import { healthDuring } from "./health-probe.js";
import { requestOf, sampleEvent } from "./sample-logs.js";
import type { startServer } from "./start-server.js";

const MIB = 1024 * 1024;

type Server = Awaited<ReturnType<typeof startServer>>;

/** Sends large bodies over many connections at once and gives what it cost: statuses, memory, waits for `/healthz`. */
export async function largeBodies(server: Server, connections: number, bodyMib: number) {
  const request = requestOf(sampleEvent({ id: "large" }));
  const record = request.resourceLogs[0]?.scopeLogs[0]?.logRecords[0];
  // Random bytes: gzip cannot make them smaller.
  if (record) record.body = new Uint8Array(crypto.randomBytes(bodyMib * MIB));
  const body = zlib.gzipSync(writeLogsRequest(request), { level: 1 });
  const idleMib = residentMib(server);
  let peakMib = idleMib;
  const watch = setInterval(() => {
    peakMib = Math.max(peakMib, residentMib(server));
  }, 10);
  const { result: statuses, p99Millis } = await healthDuring(server.endpoint, () =>
    Promise.all(Array.from({ length: connections }, () => post(server, body))),
  );
  clearInterval(watch);
  const counts = Object.fromEntries(
    [...new Set(statuses)].map((status) => [status, statuses.filter((s) => s === status).length]),
  );
  console.log(
    `${connections} bodies of ${bodyMib} MiB: ${JSON.stringify(counts)}, memory +${(peakMib - idleMib).toFixed(0)} MiB, /healthz p99 ${p99Millis.toFixed(0)} ms`,
  );
  return { statuses, grownMib: peakMib - idleMib, healthP99Millis: p99Millis };
}

/** Gives the status; 0 when none arrived. */
function post(server: Server, body: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const request = http.request(
      server.otlpUrl,
      {
        method: "POST",
        agent: false,
        headers: { "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip" },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode as number);
      },
    );
    request.on("error", () => resolve(0));
    request.end(body);
  });
}

export const residentMib = ({ child }: Server) =>
  Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024;
