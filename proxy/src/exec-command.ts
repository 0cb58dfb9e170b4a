import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { type Auditor, startedProcess, startOf } from "@agent-audit/instrumentation";
import { endWhenIdle } from "./end-when-idle.js";
import { cannotRun, exitCodeOf } from "./exit-code.js";
import { spawnPiped } from "./spawn-piped.js";

/**
 * Runs a command with this process's streams and records it.
 *
 * @param capturesContent whether its output is, of which size and digest always are
 * @returns the exit code that a shell would give
 */
export async function execCommand(
  auditor: Auditor,
  argv: readonly string[],
  { capturesContent }: { capturesContent: boolean },
): Promise<number> {
  const [command = "", ...args] = argv;
  const start = startOf({ args: argv }, undefined);
  let child: ChildProcess;
  try {
    child = startedProcess(() => spawnPiped(command, args), start, {
      auditor,
      ...(capturesContent ? {} : { captureBytes: 0 }),
    });
  } catch (error) {
    return cannotRun(command, error as Error);
  }
  passOn(child.stdout, process.stdout);
  passOn(child.stderr, process.stderr);
  child.once("exit", () => {
    endWhenIdle(child.stdout, process.stdout);
    endWhenIdle(child.stderr, process.stderr);
  });
  return await exitCodeOf(child, command);
}

/** Copies a child's stream. When the reader has gone, the child is told as it would be without a copy in between: by SIGPIPE. */
function passOn(from: Readable | null, to: Writable): void {
  if (from === null) return;
  from.pipe(to, { end: false });
  to.on("error", () => from.destroy());
}
