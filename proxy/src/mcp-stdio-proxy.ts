import childProcess, { type ChildProcessByStdio } from "node:child_process";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Auditor } from "@agent-audit/instrumentation";
import { endWhenIdle } from "./end-when-idle.js";
import { cannotRun, exitCodeOf } from "./exit-code.js";
import { LineSplitter } from "./line-splitter.js";
import { McpSession } from "./mcp-session.js";

/**
 * Runs an MCP server behind this process's standard streams. Every byte goes through unchanged and at
 * once; the audit reads a copy.
 *
 * @param capturesContent whether arguments and results are, of which digests always are
 * @returns the server's exit code, as a shell would give it
 */
export async function proxyMcpStdio(
  auditor: Auditor,
  argv: readonly string[],
  { capturesContent }: { capturesContent: boolean },
): Promise<number> {
  const [command = "", ...args] = argv;
  let child: ChildProcessByStdio<Writable, Readable, null>;
  try {
    child = childProcess.spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  } catch (error) {
    return cannotRun(command, error as Error);
  }
  const serverName = path.basename(args.find((arg) => !arg.startsWith("-")) ?? command);
  const session = new McpSession({ auditor, serverName, transport: "pipe", capturesContent });
  const requests = new LineSplitter({
    onLine: (line) => session.fromClient(line),
    onTooLong: (sizeBytes) => session.unreadFromClient(sizeBytes),
  });
  const answers = new LineSplitter({
    onLine: (line) => session.fromServer(line),
    onTooLong: () => session.unreadFromServer(),
  });
  relay(process.stdin, child.stdin, requests);
  relay(child.stdout, process.stdout, answers);
  child.once("exit", () => endWhenIdle(child.stdout, process.stdout));
  const exitCode = await exitCodeOf(child, command);
  for (const lines of [requests, answers]) audited(() => lines.end());
  session.end("server_exit");
  process.stdin.destroy();
  return exitCode;
}

function relay(from: Readable, to: Writable, lines: LineSplitter): void {
  // Seen before it is passed on: an answer cannot overtake its request in the audit.
  from.on("data", (chunk: Buffer) => audited(() => lines.add(chunk)));
  from.once("end", () => audited(() => lines.end()));
  from.pipe(to, { end: to !== process.stdout });
  // A reader that went away ends the session: whoever writes learns it as it would without a copy in between.
  to.on("error", () => from.destroy());
}

/** A fault of ours must not end the agent's session: the bytes go on, the audit of these is lost. */
function audited(read: () => void): void {
  try {
    read();
  } catch (error) {
    process.stderr.write(`agent-audit: a message could not be audited: ${String(error)}\n`);
  }
}
