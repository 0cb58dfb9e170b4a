import childProcess, { type ChildProcessByStdio } from "node:child_process";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Auditor } from "@agent-audit/instrumentation";
import { cannotRun, exitCodeOf } from "./exec-command.js";
import { LineSplitter } from "./line-splitter.js";
import { McpSession } from "./mcp-session.js";

/**
 * Runs an MCP server behind this process's standard streams. Every byte goes through unchanged and at
 * once; the audit reads a copy.
 *
 * @returns the server's exit code, as a shell would give it
 */
export async function proxyMcpStdio(auditor: Auditor, argv: readonly string[]): Promise<number> {
  const [command = "", ...args] = argv;
  let child: ChildProcessByStdio<Writable, Readable, null>;
  try {
    child = childProcess.spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  } catch (error) {
    return cannotRun(command, error as Error);
  }
  const serverName = path.basename(args.find((arg) => !arg.startsWith("-")) ?? command);
  const session = new McpSession({ auditor, serverName, transport: "pipe" });
  relay(process.stdin, child.stdin, (line) => session.fromClient(line));
  relay(child.stdout, process.stdout, (line) => session.fromServer(line));
  const exitCode = await exitCodeOf(child, command);
  session.end("server_exit");
  process.stdin.destroy();
  return exitCode;
}

function relay(from: Readable, to: Writable, onLine: (line: string) => void): void {
  const lines = new LineSplitter(onLine);
  // Seen before it is passed on: an answer cannot overtake its request in the audit.
  from.on("data", (chunk: Buffer) => {
    try {
      lines.add(chunk);
    } catch (error) {
      // A fault of ours must not end the agent's session: the bytes go on, the audit of this chunk is lost.
      process.stderr.write(`agent-audit: a message could not be audited: ${String(error)}\n`);
    }
  });
  from.pipe(to, { end: to !== process.stdout });
  // A reader that went away ends the session: whoever writes learns it as it would without a copy in between.
  to.on("error", () => from.destroy());
}
