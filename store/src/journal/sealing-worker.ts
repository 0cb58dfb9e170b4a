import os from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { DiskGuard } from "../disk-guard.js";
import { nodeDisk } from "./disk.js";
import { sealableFiles, sealJournal } from "./seal-journal.js";
import type { SealingWorkerData } from "./sealer.js";

// Seals the journal files of older segments and ends. Compressing takes seconds a file, so it has a thread of
// its own, behind everything else. It may be ended at any moment.

const { directory, diskGuard } = workerData as SealingWorkerData;
const guard = new DiskGuard(directory, diskGuard);

try {
  // On Linux id 0 is the calling thread.
  if (process.platform === "linux") os.setPriority(0, os.constants.priority.PRIORITY_LOW);
} catch {
  // Not permitted here: sealing then competes with the rest.
}

for (const name of sealableFiles(directory, nodeDisk)) {
  // It makes room in the end, but needs some first; the next day or start tries again.
  if (!guard.hasRoom(name.bytes)) break;
  try {
    sealJournal(nodeDisk, directory, name);
  } catch (error) {
    // The plain file stays, so nothing is lost: the next start or day tries again.
    parentPort?.postMessage((error as Error).message);
  }
}
