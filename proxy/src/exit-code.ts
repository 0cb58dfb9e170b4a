import type { ChildProcess } from "node:child_process";
import os from "node:os";
import { isatty } from "node:tty";
import { leave } from "./pipe.js";

/** Shells' own codes for a command that cannot be run. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_EXECUTABLE = 126;
/** Shells add the signal's number to this. */
const EXIT_SIGNALLED = 128;

/** Those that end a process, or open Node's debugger, unless it takes them. */
const FORWARDED_SIGNALS = [
  ...(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const),
  ...(["SIGUSR1", "SIGUSR2", "SIGALRM"] as const),
];

/** On a terminal Ctrl-C and Ctrl-\ reach the child by themselves, as a member of the same process group. */
const isFromTerminal = (signal: NodeJS.Signals) =>
  (signal === "SIGINT" || signal === "SIGQUIT") && [0, 1, 2].some(isatty);

/** Says why, and gives the exit code that a shell would. */
export function cannotRun(command: string, error: NodeJS.ErrnoException): number {
  process.stderr.write(`agent-audit: cannot run ${command}: ${error.message}\n`);
  return error.code === "EACCES" ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND;
}

/**
 * Waits for a child and its streams, passing signals on, and gives the exit code that a shell would. Once
 * the child has ended, a signal ends the wait for its streams.
 */
export async function exitCodeOf(child: ChildProcess, command: string): Promise<number> {
  const ended = new Promise<number>((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      // It runs, and a signal could not be passed on to it.
      if (child.pid !== undefined) return;
      resolve(cannotRun(command, error));
    });
    child.on("close", (code, signal) => {
      resolve(code ?? EXIT_SIGNALLED + (signal === null ? 0 : os.constants.signals[signal]));
    });
  });
  const forward = (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) leaveStreams(child);
    else if (!isFromTerminal(signal)) child.kill(signal);
  };
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
  try {
    return await ended;
  } finally {
    for (const signal of FORWARDED_SIGNALS) process.off(signal, forward);
    // Where nobody takes it, it opens Node's debugger.
    process.on("SIGUSR1", () => {});
  }
}

function leaveStreams({ stdout, stderr }: ChildProcess): void {
  if (stdout !== null) leave(stdout, process.stdout);
  if (stderr !== null) leave(stderr, process.stderr);
}
