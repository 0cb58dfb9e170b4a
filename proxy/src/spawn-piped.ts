import childProcess, { type ChildProcess } from "node:child_process";
import fs from "node:fs";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { makePipe } from "./pipe.js";

/**
 * Starts a command with this process's standard input, and pipes for its output. A stream that is a
 * terminal goes to the command as it is, and is not captured: a copy in between would change how the command behaves.
 *
 * @throws what `spawn` does where it cannot even try
 */
export function spawnPiped(command: string, args: readonly string[]): ChildProcess {
  const outputs = [process.stdout, process.stderr];
  const pipes = outputs.map((to) => (to.isTTY ? null : makePipe()));
  const stdio = outputs.map((to, i) => (to.isTTY ? "inherit" : (pipes[i]?.writeFd ?? "pipe")));
  let child: ChildProcess;
  try {
    child = childProcess.spawn(command, args, { stdio: ["inherit", ...stdio] });
  } finally {
    for (const pipe of pipes) if (pipe !== null) fs.closeSync(pipe.writeFd);
  }
  const [stdout, stderr] = pipes.map((pipe) => pipe?.from);
  closeWith(child, [stdout, stderr]);
  return Object.assign(child, {
    stdout: stdout ?? child.stdout,
    stderr: stderr ?? child.stderr,
  });
}

/** A process closes when its streams have, which Node knows of its own only. */
function closeWith(child: ChildProcess, streams: readonly (Readable | undefined)[]): void {
  const emit = child.emit.bind(child) as (name: string, ...values: unknown[]) => boolean;
  const closed = Promise.allSettled(streams.map((stream) => stream && finished(stream)));
  child.emit = (name: string, ...values: unknown[]) => {
    if (name !== "close") return emit(name, ...values);
    void closed.then(() => emit(name, ...values));
    return true;
  };
}
