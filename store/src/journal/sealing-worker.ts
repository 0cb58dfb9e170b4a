import os from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { DiskGuard } from "../disk-guard.js";
import { nodeDisk } from "./disk.js";
import { sealableFiles, sealJournal } from "./seal-journal.js";
import type { SealingWorkerData } from "./sealer.js";

// Seals the journal files of older segments and ends. Compressing takes seconds a file, so it has a thread of
// its own, behind everything else.

const { directory, diskGuard, stopBuffer } = workerData as SealingWorkerData;
const stop = new Int32Array(stopBuffer);
const guard = new DiskGuard(directory, diskGuard);

try {
  // On Linux id 0 is the calling thread.
  if (process.platform === "linux") os.setPriority(0, os.constants.priority.PRIORITY_LOW);
} catch {
  // Not permitted here: sealing then competes with the rest.
}

/** Ends the sealing of a file that the server does not wait for. */
class Stopped extends Error {}

function goOn(): void {
  if (Atomics.load(stop, 0) !== 0) throw new Stopped();
}

for (const name of sealableFiles(directory, nodeDisk)) {
  // It makes room in the end, but needs some first; the next day or start tries again.
  if (!guard.hasRoom(name.bytes)) break;
  try {
    sealJournal(nodeDisk, directory, name, goOn);
  } catch (error) {
    if (error instanceof Stopped) break;
    // The plain file stays, so nothing is lost: the next start or day tries again.
    parentPort?.postMessage((error as Error).message);
  }
}
