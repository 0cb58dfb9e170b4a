// Decoding: this project's readers beside protobufjs, on the same requests, one thread.
import fs from "node:fs";
import zlib from "node:zlib";
import { LogsScanner, readLogsRequest } from "@agent-audit/otlp";
import { readEnvelope } from "@agent-audit/schema";
import protobuf from "protobufjs";
import { generateBatches } from "./generate.mjs";

const BATCH_RECORDS = 512;
const ROUNDS = 5;

/** @param quick fewer records: shows that it runs, not how fast it is */
export async function benchDecode(quick) {
  const { bodies, records } = generateBatches({ batches: quick ? 4 : 60, size: BATCH_RECORDS });
  const requests = bodies.map((body) => zlib.gunzipSync(body));
  const Request = protobufRequest();
  const scanner = new LogsScanner();
  const readers = {
    protobufjs: (bytes) => Request.decode(bytes),
    "structural scan": (bytes) => scanner.scan(bytes),
    "decode to values": (bytes) => readLogsRequest(bytes),
    "decode and map to fields": (bytes) => {
      for (const { resource, scopeLogs } of readLogsRequest(bytes).resourceLogs) {
        for (const { logRecords } of scopeLogs) {
          for (const record of logRecords) readEnvelope(record, resource);
        }
      }
    },
  };
  const best = Object.fromEntries(
    Object.keys(readers).map((name) => [name, Number.POSITIVE_INFINITY]),
  );
  // In turns, so that a busy moment of the machine hits all of them.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, read] of Object.entries(readers)) {
      const begin = performance.now();
      for (const bytes of requests) read(bytes);
      best[name] = Math.min(best[name], performance.now() - begin);
    }
  }
  const peer = best.protobufjs;
  return Object.entries(best).map(([what, millis]) => ({
    what,
    perSecond: (records / millis) * 1000,
    note:
      what === "protobufjs"
        ? "decode only"
        : `${(peer / millis).toFixed(2)} x of protobufjs${what === "decode and map to fields" ? ", goal 2.5 x" : ""}`,
  }));
}

function protobufRequest() {
  const file = new URL("../test/support/otlp-messages.json", import.meta.url);
  return protobuf.Root.fromJSON(JSON.parse(fs.readFileSync(file, "utf8"))).lookupType("Request");
}
