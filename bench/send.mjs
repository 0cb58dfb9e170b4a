// Sends generated batches over several connections, as a process of its own: send.mjs URL BATCHES SIZE
// CONNECTIONS [RECORDS_PER_SECOND [JSON_OF_FURTHER_OPTIONS]], the last as `generateBatches` takes them, stepNano as text.
// Prints one JSON line: what was acknowledged, how fast, and how long each request took. Under `prepareScript` it says when
// its records are made, and waits: making them takes a core for longer than sending them.
import { once } from "node:events";
import http from "node:http";
import { generateBatches } from "./generate.mjs";

const [url, batches, size, connections, rate = "0", more = "{}"] = process.argv.slice(2);
const { stepNano, ...options } = JSON.parse(more);
const { bodies, records, bytesPerRecord } = generateBatches({
  batches: Number(batches),
  size: Number(size),
  ...(stepNano === undefined ? {} : { stepNano: BigInt(stepNano) }),
  ...options,
});
if (process.connected) {
  process.send("prepared");
  await once(process, "message");
  process.disconnect();
}
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(connections) });
const latencies = [];
let next = 0;
let retries = 0;

const post = (body) =>
  new Promise((resolve) => {
    const headers = {
      "Content-Type": "application/x-protobuf",
      "Content-Encoding": "gzip",
      "Content-Length": body.length,
    };
    const request = http.request(url, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    });
    request.on("error", () => resolve(0));
    request.end(body);
  });

const begin = performance.now();
/** When a batch is due, where a rate is asked for. */
const dueMillis = (index) => (Number(rate) > 0 ? begin + (index * size * 1000) / Number(rate) : 0);
await Promise.all(
  Array.from({ length: Number(connections) }, async () => {
    while (next < bodies.length) {
      const due = dueMillis(next);
      const body = bodies[next++];
      if (due > performance.now()) {
        await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
      }
      // Counted from when it was due: a server that stalls must not slow its own measurement down.
      const sent = Number(rate) > 0 ? due : performance.now();
      while ((await post(body)) !== 200) {
        retries++;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      latencies.push(performance.now() - sent);
    }
  }),
);
const seconds = (performance.now() - begin) / 1000;
agent.destroy();
latencies.sort((a, b) => a - b);
const quantile = (q) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))];
console.log(
  JSON.stringify({
    records,
    bytesPerRecord,
    seconds,
    perSecond: records / seconds,
    p50Millis: quantile(0.5),
    p99Millis: quantile(0.99),
    latencies: latencies.map((millis) => Number(millis.toFixed(2))),
    retries,
  }),
);
