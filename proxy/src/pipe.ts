import childProcess from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";

/** The end of a pipe from which this process reads. */
class PipeEnd extends net.Socket {
  constructor(readonly fd: number) {
    super({ fd, readable: true, writable: false });
  }
}

/** A stream of this process. */
export type Output = Writable & { fd: number };

/** Both ends of a pipe; the one to write to is for a child, and to be closed here. */
export interface Pipe {
  from: Readable;
  writeFd: number;
}

/**
 * Makes a pipe. Node's own are pairs of sockets: a command cannot open those as /dev/stdout, and learns in
 * another way that its reader has gone. Gives `null` where the system makes none.
 */
export function makePipe(): Pipe | null {
  let directory: string | undefined;
  try {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "agent-audit-"));
    const name = path.join(directory, "pipe");
    childProcess.execFileSync("mkfifo", [name], { stdio: "ignore" });
    // Opened first, and without waiting: the other end opens once there is a reader.
    const readFd = fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    return { from: new PipeEnd(readFd), writeFd: fs.openSync(name, "w") };
  } catch {
    // No mkfifo, or no directory to write to: sockets are nearly as good.
    return null;
  } finally {
    if (directory !== undefined) fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** Leaves the rest of a pipe to a process that outlives this one: what still writes to it should not end of that. */
export function leave(from: Readable, to: Output): void {
  if (from instanceof PipeEnd && !from.destroyed) {
    const stdio = [from.fd, to.fd, "ignore"] as const;
    const heir = childProcess.spawn("cat", [], { stdio: [...stdio], detached: true, cwd: "/" });
    heir.on("error", () => {
      // No such program: whoever writes is told that nobody reads.
    });
    heir.unref();
  }
  from.destroy();
}
