import { AsyncResource } from "node:async_hooks";
import childProcess, { type ChildProcess } from "node:child_process";
import { type EventEmitter, errorMonitor } from "node:events";
import path from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Auditor } from "../auditor.js";
import { guarded } from "../guarded.js";
import { type Command, type CommandOutcome, describeCommand } from "./describe-command.js";
import { OutputCapture } from "./output-capture.js";

export interface ShellAuditOptions {
  auditor: Auditor;
  /** Captured bytes of each stream; default 64 KiB, 0 captures sizes and digests only. */
  captureBytes?: number;
}

/** Makes a drop-in for `child_process.spawn` that records each command when it ends. */
export function auditedSpawn(options: ShellAuditOptions): typeof childProcess.spawn {
  const spawn = (command: string, ...rest: unknown[]): ChildProcess => {
    const args = Array.isArray(rest[0]) ? (rest[0] as string[]) : [];
    // Arguments may be left out, or be nothing.
    const spawnOptions = (Array.isArray(rest[0]) || rest[0] == null ? rest[1] : rest[0]) as
      | childProcess.SpawnOptions
      | undefined;
    const isLine = Boolean(spawnOptions?.shell) && args.length === 0;
    const start = startOf(isLine ? { line: command } : { args: [command, ...args] }, spawnOptions);
    const spawnAny = childProcess.spawn as (...values: unknown[]) => ChildProcess;
    return startedProcess(() => spawnAny(command, ...rest), start, options);
  };
  return spawn as typeof childProcess.spawn;
}

/** Makes a drop-in for `child_process.exec`, promisified form included, that records each command when it ends. */
export function auditedExec(options: ShellAuditOptions): typeof childProcess.exec {
  const exec = (line: string, ...rest: unknown[]): ChildProcess => {
    const execOptions = typeof rest[0] === "object" ? (rest[0] as childProcess.ExecOptions) : {};
    const start = startOf({ line }, execOptions ?? {});
    const execAny = childProcess.exec as unknown as (...values: unknown[]) => ChildProcess;
    return startedProcess(() => execAny(line, ...rest), start, options);
  };
  const promised = (line: string, execOptions?: childProcess.ExecOptions) => {
    let child: ChildProcess | undefined;
    const promise = new Promise((resolve, reject) => {
      child = exec(
        line,
        execOptions ?? {},
        (error: Error | null, stdout: string, stderr: string) => {
          if (error === null) resolve({ stdout, stderr });
          else reject(Object.assign(error, { stdout, stderr }));
        },
      );
    });
    return Object.assign(promise, { child });
  };
  return Object.assign(exec, {
    [promisify.custom]: promised,
  }) as unknown as typeof childProcess.exec;
}

/** What is known of a command when it starts. */
export type CommandStart = Pick<Command, "command" | "workingDirectory" | "startedAt"> & {
  beganAt: number;
};

export function startOf(
  command: Command["command"],
  options: { cwd?: string | URL | undefined } | undefined,
): CommandStart {
  return {
    command,
    workingDirectory: directoryOf(options?.cwd ?? "."),
    startedAt: BigInt(Date.now()) * 1_000_000n,
    beganAt: performance.now(),
  };
}

/** The path of a working directory; as given, where there is none: Node refuses some URLs, or the current one was deleted. */
function directoryOf(cwd: string | URL): string {
  try {
    return path.resolve(cwd instanceof URL ? fileURLToPath(cwd) : cwd);
  } catch {
    return cwd === "." ? "unknown" : String(cwd);
  }
}

/**
 * Starts a process and records it when it ends; one that Node cannot even try to start, as for a path through a file, at once.
 *
 * @throws whatever `start` throws
 */
export function startedProcess<P extends ChildProcess>(
  run: () => P,
  start: CommandStart,
  options: ShellAuditOptions,
): P {
  let child: P;
  try {
    child = run();
  } catch (error) {
    const { code = "error" } = error as NodeJS.ErrnoException;
    recorderOf(start, options.auditor, () => ({}))({ kind: "not_started", errorType: code });
    throw error;
  }
  return watchProcess(child, start, options);
}

/** What is known of a process when it has ended. */
type Ending = Pick<Command, "pid" | "stdout" | "stderr">;

/** @param endingOf asked when it has ended; a fault in it is not the host's either */
function recorderOf(start: CommandStart, auditor: Auditor, endingOf: () => Ending) {
  // The identity of the caller, whatever the child's events run under.
  return AsyncResource.bind(
    guarded((outcome: CommandOutcome) =>
      auditor.record(
        describeCommand({
          ...start,
          ...endingOf(),
          actorName: auditor.actorName,
          outcome,
          durationMillis: performance.now() - start.beganAt,
        }),
      ),
    ),
  );
}

/**
 * Records a process when it ends, without changing how it behaves: its streams neither start to flow nor
 * lose data, and an error that nobody handles is still thrown.
 */
export function watchProcess<P extends ChildProcess>(
  child: P,
  start: CommandStart,
  { auditor, captureBytes }: ShellAuditOptions,
): P {
  const stdout = tap(child.stdout, captureBytes);
  const stderr = tap(child.stderr, captureBytes);
  let isRecorded = false;
  const recordOnce = recorderOf(start, auditor, () => ({
    pid: child.pid,
    stdout: stdout?.finish(),
    stderr: stderr?.finish(),
  }));
  const record = (outcome: CommandOutcome) => {
    if (isRecorded) return;
    isRecorded = true;
    recordOnce(outcome);
  };
  (child as EventEmitter).on(errorMonitor, (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) record({ kind: "not_started", errorType: error.code ?? "error" });
  });
  child.on("close", (exitCode, signal) => {
    if (signal !== null) record({ kind: "killed", signal });
    else record({ kind: "exited", exitCode: exitCode ?? 0 });
  });
  return child;
}

/** Sees each chunk as it enters the stream: a `data` listener would make the stream flow before its reader is there. */
function tap(stream: Readable | null, captureBytes: number | undefined): OutputCapture | undefined {
  if (stream === null) return undefined;
  const capture = new OutputCapture(captureBytes);
  const push = stream.push.bind(stream);
  const add = guarded((chunk: Buffer | string, encoding?: BufferEncoding) =>
    capture.add(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, encoding)),
  );
  stream.push = (chunk, encoding) => {
    if (chunk !== null) add(chunk, encoding);
    return push(chunk, encoding);
  };
  return capture;
}
