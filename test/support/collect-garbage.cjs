// Loaded into every thread of a server whose memory is measured: what only waits for the collector is not held. Each thread
// writes down what it holds then, a line of JSON, to the file that HELD_MEMORY_LOG names.
const fs = require("node:fs");
const { threadId } = require("node:worker_threads");

const EVERY_MILLIS = 10_000;

setInterval(() => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  const line = {
    pid: process.pid,
    thread: threadId,
    millis: Date.now(),
    bytes: heapUsed + external,
  };
  fs.appendFileSync(process.env.HELD_MEMORY_LOG, `${JSON.stringify(line)}\n`);
}, EVERY_MILLIS).unref();
