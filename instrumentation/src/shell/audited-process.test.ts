import childProcess from "node:child_process";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { LogRecord } from "@opentelemetry/api-logs";
import { describe, expect, it } from "vitest";
import { createAuditor } from "../auditor.js";
import { auditedExec, auditedSpawn } from "./audited-process.js";

const audited = () => {
  const records: LogRecord[] = [];
  const auditor = createAuditor({
    agent: { name: "build-bot" },
    logger: { emit: (record: LogRecord) => records.push(record) },
  });
  return { auditor, spawn: auditedSpawn({ auditor }), exec: auditedExec({ auditor }), records };
};

const attributesOf = (record: LogRecord | undefined) =>
  (record?.attributes ?? {}) as Record<string, unknown>;
const closed = (child: childProcess.ChildProcess) =>
  new Promise((resolve) => child.once("close", (code) => resolve(code)));

describe("auditedSpawn", () => {
  it("records a command that works, with its output's size and digest", async () => {
    const { spawn, records } = audited();
    const child = spawn("printf", ["hello"]);
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    expect(await closed(child)).toBe(0);
    expect(out).toBe("hello");
    expect(records[0]?.body).toMatch(/^build-bot ran "printf hello" -> exit 0 \(\d+ ms\)$/);
    expect(attributesOf(records[0])).toMatchObject({
      "agent_audit.result": "success",
      "agent_audit.resource.id": "printf",
      "process.exit.code": 0,
      "process.command_args": ["printf", "hello"],
      "agent_audit.process.stdout": "hello",
      "agent_audit.process.stdout_size": 5,
      "agent_audit.process.stdout_sha256":
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
      "process.pid": child.pid,
    });
  });

  it.each([
    ["fails", ["sh", "-c", "echo no >&2; exit 3"], "failure", "3"],
    ["is killed", ["sh", "-c", "kill -9 $$"], "error", "SIGKILL"],
  ])("records a command that %s", async (_, [command, ...args], result, errorType) => {
    const { spawn, records } = audited();
    await closed(spawn(command as string, args));
    expect(attributesOf(records[0])).toMatchObject({
      "agent_audit.result": result,
      "error.type": errorType,
    });
  });

  it("records what Node does not even try to start, and throws as it does", () => {
    const { spawn, records } = audited();
    expect(() => spawn("/etc/passwd/x")).toThrow(/ENOTDIR/);
    expect(attributesOf(records[0])).toMatchObject({
      "agent_audit.result": "error",
      "error.type": "ENOTDIR",
    });
  });

  it("takes options behind no arguments, names the program behind its variables, and keeps secrets out of the line", async () => {
    const { spawn, records } = audited();
    const options = { shell: true, cwd: "/" };
    await closed(spawn("API_PIN=998877 printf x", undefined as never, options));
    await closed(spawn("printf", ["%s", "--db_password", "Tr0ub;4dor"]));
    expect(attributesOf(records[0])).toMatchObject({
      "agent_audit.resource.id": "printf",
      "process.command_line": "API_PIN=998877 printf x",
      "process.working_directory": "/",
    });
    expect(records[1]?.body).toContain("printf %s --db_password [redacted:option]");
  });

  it.each([
    ["a URL", pathToFileURL(os.tmpdir()), os.tmpdir()],
    ["a relative path", "..", path.resolve("..")],
    ["an absolute path", "/", "/"],
    ["nothing", undefined, process.cwd()],
  ])("records the path of a working directory that is given as %s", async (_, cwd, expected) => {
    const { spawn, records } = audited();
    await closed(spawn("true", { cwd }));
    expect(attributesOf(records[0])["process.working_directory"]).toBe(expected);
  });

  it("leaves a working directory that is none to Node", () => {
    const { spawn } = audited();
    const cwd = new URL("http://host/");
    expect(() => spawn("true", { cwd })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_URL_SCHEME" }),
    );
  });

  it("records a command that cannot start, and leaves the error to the host", async () => {
    const { spawn, records } = audited();
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
      spawn("no-such-command-anywhere").on("error", resolve);
    });
    expect(error.code).toBe("ENOENT");
    expect(records.length).toBe(1);
    expect(attributesOf(records[0])["error.type"]).toBe("ENOENT");
  });

  it("loses no output to a reader that comes late, and does not make the stream flow", async () => {
    const { spawn } = audited();
    const child = spawn("sh", ["-c", "printf late; sleep 0.4"]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(child.stdout.readableFlowing).toBeNull();
    let out = "";
    for await (const chunk of child.stdout) out += chunk;
    expect(out).toBe("late");
  });

  it("keeps head and tail of long output, and a secret across the cut out of both", async () => {
    const { spawn, records } = audited();
    const secret = `ghp_${"s3".repeat(18)}`;
    const script = `process.stdout.write("a".repeat(32*1024-10) + " ${secret} " + "b".repeat(500000) + " end")`;
    const child = spawn(process.execPath, ["-e", script]);
    child.stdout.resume();
    await closed(child);
    const {
      "agent_audit.process.stdout": text,
      "agent_audit.process.stdout_size": size,
      "agent_audit.process.output_truncated": isCut,
    } = attributesOf(records[0]);
    expect(size).toBe(32 * 1024 - 10 + 42 + 500_000 + 4);
    expect(isCut).toBe(true);
    expect(attributesOf(records[0])["agent_audit.redacted"]).toContain(
      "agent_audit.process.stdout",
    );
    expect(String(text)).toMatch(/^a+ \[redacte.*\[cut: \d+ bytes\]\nb+ end$/s);
    expect(String(text).length).toBeLessThan(66_000);
    expect(String(text)).not.toContain("ghp_");
  });

  it("records streams that are not piped without their content", async () => {
    const { spawn, records } = audited();
    await closed(spawn("true", [], { stdio: "ignore" }));
    expect(attributesOf(records[0])["agent_audit.process.stdout_size"]).toBeUndefined();
  });
});

describe("auditedExec", () => {
  it("behaves as exec does, with a callback and as a promise", async () => {
    const { exec, records } = audited();
    const plain = promisify(childProcess.exec);
    const wrapped = promisify(exec);
    for (const line of ["echo out; echo err >&2", "exit 7"]) {
      const expected = await plain(line).catch((error) => error);
      const actual = await wrapped(line).catch((error) => error);
      expect([actual.stdout, actual.stderr, actual.code]).toEqual([
        expected.stdout,
        expected.stderr,
        expected.code,
      ]);
    }
    const viaCallback = await new Promise((resolve) =>
      exec("echo hi", (_, stdout) => resolve(stdout)),
    );
    expect(viaCallback).toBe("hi\n");
    expect(attributesOf(records[0])["process.command_line"]).toBe("echo out; echo err >&2");
    expect(records.map((record) => attributesOf(record)["agent_audit.result"])).toEqual([
      "success",
      "failure",
      "success",
    ]);
  });
});
