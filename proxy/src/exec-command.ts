import childProcess, { type ChildProcess } from "node:child_process";
import os from "node:os";
import type { Readable, Writable } from "node:stream";
import { isatty } from "node:tty";
import { type Auditor, startedProcess, startOf } from "@agent-audit/instrumentation";

/** Shells' own codes for a command that cannot be run. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_EXECUTABLE = 126;
/** Shells add the signal's number to this. */
const EXIT_SIGNALLED = 128;

const FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Output of what a command has left running in the background is waited for no longer than it comes. */
const LINGER_MILLIS = 200;

/** On a terminal Ctrl-C reaches the child by itself, as a member of the same process group. */
const isFromTerminal = (signal: NodeJS.Signals) => signal === "SIGINT" && [0, 1, 2].some(isatty);

/**
 * Runs a command with this process's streams and records it. A stream that is a terminal goes to the
 * command as it is and is not captured: a copy in between would change how the command behaves.
 *
 * @returns the exit code that a shell would give
 */
export async function execCommand(auditor: Auditor, argv: readonly string[]): Promise<number> {
  const [command = "", ...args] = argv;
  const start = startOf({ args: argv }, undefined);
  const run = () =>
    childProcess.spawn(command, args, {
      stdio: [
        "inherit",
        process.stdout.isTTY ? "inherit" : "pipe",
        process.stderr.isTTY ? "inherit" : "pipe",
      ],
    });
  let child: ChildProcess;
  try {
    child = startedProcess(run, start, { auditor });
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

/** Says why, and gives the exit code that a shell would. */
export function cannotRun(command: string, error: NodeJS.ErrnoException): number {
  process.stderr.write(`agent-audit: cannot run ${command}: ${error.message}\n`);
  return error.code === "EACCES" ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND;
}

/** Ends a stream that others hold open after the command has ended, once nothing comes and nothing waits to be passed on. */
function endWhenIdle(from: Readable | null, to: Writable): void {
  if (from === null || from.closed) return;
  let isIdle = false;
  from.on("data", () => {
    isIdle = false;
  });
  const timer = setInterval(() => {
    if (isIdle && from.readableLength === 0 && to.writableLength === 0) from.destroy();
    isIdle = true;
  }, LINGER_MILLIS);
  from.once("close", () => clearInterval(timer));
}

/** Copies a child's stream. When the reader has gone, the child is told as it would be without a copy in between: by SIGPIPE. */
function passOn(from: Readable | null, to: Writable): void {
  if (from === null) return;
  from.pipe(to, { end: false });
  to.once("error", () => from.destroy());
}

/** Waits for a child, passing signals on, and gives the exit code that a shell would. */
export async function exitCodeOf(child: ChildProcess, command: string): Promise<number> {
  const forward = (signal: NodeJS.Signals) => {
    if (!isFromTerminal(signal)) child.kill(signal);
  };
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
  try {
    return await new Promise<number>((resolve) => {
      child.on("error", (error: NodeJS.ErrnoException) => {
        // It runs, and a signal could not be passed on to it.
        if (child.pid !== undefined) return;
        resolve(cannotRun(command, error));
      });
      child.on("close", (code, signal) => {
        resolve(code ?? EXIT_SIGNALLED + (signal === null ? 0 : os.constants.signals[signal]));
      });
    });
  } finally {
    for (const signal of FORWARDED_SIGNALS) process.off(signal, forward);
  }
}
