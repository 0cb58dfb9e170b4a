import { parentPort, workerData } from "node:worker_threads";
import { type IdentityFile, InlineIdentityWriter } from "./identity-file.js";

// The thread of an IdentityThread. Any error ends it.

const writer = new InlineIdentityWriter(workerData);
parentPort?.on("message", (file: IdentityFile | null) => {
  if (file === null) return parentPort?.close();
  writer.write(file);
  parentPort?.postMessage("written");
});
parentPort?.postMessage("ready");
