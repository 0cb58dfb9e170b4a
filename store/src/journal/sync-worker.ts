import fs from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { SYNC_CELLS, SYNC_CLOSE } from "./syncer.js";

// The thread of a ThreadSyncer. It sleeps between requests: an event loop would cost a wake-up more.

const EIO = -5;

const cells = workerData as Int32Array;
let last = 0;
parentPort?.postMessage("ready");

for (;;) {
  Atomics.wait(cells, SYNC_CELLS.requested, last);
  last = Atomics.load(cells, SYNC_CELLS.requested);
  if (last === SYNC_CLOSE) break;
  try {
    fs.fdatasyncSync(cells[SYNC_CELLS.fd] as number);
  } catch (error) {
    // It stays: after a failed sync nobody knows what is on disk.
    Atomics.store(cells, SYNC_CELLS.errno, (error as NodeJS.ErrnoException).errno ?? EIO);
  }
  Atomics.store(cells, SYNC_CELLS.ended, last);
  Atomics.notify(cells, SYNC_CELLS.ended);
  parentPort?.postMessage("ended");
}
