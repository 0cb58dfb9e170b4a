import { parentPort, workerData } from "node:worker_threads";
import { type IdentityFile, writeIdentityFile } from "./identity-file.js";

// The thread of an IdentityThread. Any error ends it.

parentPort?.on("message", (file: IdentityFile | null) => {
  if (file === null) return parentPort?.close();
  writeIdentityFile(workerData, file);
  parentPort?.postMessage("written");
});
parentPort?.postMessage("ready");
