import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { cleanUp } from "./clean-up.js";

/** Makes a directory that goes away with the test. */
export function temporaryDirectory(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "agent-audit-"));
  cleanUp(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}
