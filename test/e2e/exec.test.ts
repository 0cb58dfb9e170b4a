import childProcess, { type ChildProcess } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { otlpSink } from "../support/otlp-sink.js";
import { LAUNCHER } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** Runs `agent-audit exec`; `read` gets its standard output. */
async function exec(
  command: readonly string[],
  { env = {}, options = [] as string[], read = async (_: Readable, __: ChildProcess) => {} },
) {
  const child = childProcess.spawn(
    process.execPath,
    [LAUNCHER, "exec", ...options, "--", ...command],
    { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stdout.on("end", () => {});
  await read(child.stdout, child);
  child.stdout.resume();
  const status = await ended;
  return { status, stderr };
}

describe("exec", () => {
  it("passes everything on, however slowly it is read", async () => {
    const { url, bodies } = await otlpSink();
    let bytes = 0;
    const { status } = await exec(["head", "-c", "600000", "/dev/zero"], {
      options: ["--endpoint", url],
      read: async (stream) => {
        for await (const chunk of stream) {
          bytes += (chunk as Buffer).length;
          await sleep(20);
        }
      },
    });
    expect([status, bytes]).toEqual([0, 600_000]);
    expect(bodies.join()).toContain("600000");
  });

  it("does not wait for what the command left running, but for what comes of it, and ends none of it", async () => {
    const { url, bodies } = await otlpSink();
    const directory = temporaryDirectory();
    const left =
      "until [ -e ended ]; do sleep 0.05; done; echo later; echo later; echo lived > lived";
    let text = "";
    const { status } = await exec(
      ["sh", "-c", `cd ${directory}; (${left}) & (sleep 0.1; echo late) & echo now; exit 3`],
      {
        options: ["--endpoint", url],
        read: async (stream, child) => {
          child.once("exit", () => fs.writeFileSync(path.join(directory, "ended"), ""));
          for await (const chunk of stream) text += chunk;
        },
      },
    );
    expect([status, text]).toEqual([3, "now\nlate\nlater\nlater\n"]);
    await expect.poll(() => fs.existsSync(path.join(directory, "lived"))).toBe(true);
    expect(bodies.join()).toContain("exit 3");
  });

  it("gives the command pipes, which it can open by name and which end it when the reader goes", async () => {
    const { url, bodies } = await otlpSink();
    let text = "";
    const { status, stderr } = await exec(
      ["sh", "-c", "echo one > /dev/stdout; echo two > /dev/stderr; exec yes"],
      {
        options: ["--endpoint", url],
        read: async (stream) => {
          for await (const chunk of stream) {
            text += chunk;
            if (text.length > 1000) break;
          }
        },
      },
    );
    expect(text).toMatch(/^one\ny\ny\n/);
    expect([status, stderr]).toEqual([128 + os.constants.signals.SIGPIPE, "two\n"]);
    expect(bodies.join()).toContain("SIGPIPE");
  });

  it("records no output where content is off", async () => {
    const { url, bodies } = await otlpSink();
    const env = { AGENT_AUDIT_CONTENT: "off", AGENT_AUDIT_ENDPOINT: url };
    expect(await exec(["sh", "-c", "echo confi''dential"], { env })).toMatchObject({ status: 0 });
    expect(bodies.join()).toContain("stdout_size");
    expect(bodies.join()).not.toContain("confidential");
  });

  it("records under what is set, and says so when nothing is", async () => {
    const { url, bodies } = await otlpSink();
    const refusing = await otlpSink({ status: 401 });
    const empty = { AGENT_AUDIT_AGENT_ID: "", AGENT_AUDIT_ORG: "", AGENT_AUDIT_ENDPOINT: url };
    expect(await exec(["true"], { env: empty })).toMatchObject({ status: 0, stderr: "" });
    expect(bodies.join()).toContain("agent_audit.shell.command");
    expect(await exec(["true"], { options: ["--endpoint", refusing.url] })).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^agent-audit: events may be lost: .+\n$/),
    });
    expect(await exec(["true"], { options: ["--endpoint", "127.0.0.1:4318"] })).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/is no address of a collector/),
    });
    const partialSuccess = { rejectedLogRecords: "2", errorMessage: "another organisation's" };
    const picky = await otlpSink({ answer: { partialSuccess } });
    expect(await exec(["true"], { options: ["--endpoint", picky.url] })).toMatchObject({
      status: 0,
      stderr: "agent-audit: events may be lost: the server refused 2: another organisation's\n",
    });
    expect((await exec(["/etc/passwd/x"], { options: ["--endpoint", url] })).status).toBe(127);
  });

  it("passes on every signal that would end it or open its debugger", async () => {
    const { url, bodies } = await otlpSink();
    const names = ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "ALRM"];
    const traps = names.map((name) => `trap 'seen=$((seen+1)); echo ${name}' ${name};`).join(" ");
    const waiting = `${traps} echo ready; while [ "\${seen:-0}" -lt ${names.length} ]; do sleep 0.05; done; exit 9`;
    let text = "";
    const { status, stderr } = await exec(["sh", "-c", waiting], {
      options: ["--endpoint", url],
      read: async (stream, child) => {
        for await (const chunk of stream) {
          text += chunk;
          // One after the other: signals that wait are not counted.
          const name = names[text.split("\n").length - 2];
          if (name !== undefined) child.kill(`SIG${name}` as NodeJS.Signals);
        }
      },
    });
    expect([status, stderr, text]).toEqual([9, "", `${["ready", ...names].join("\n")}\n`]);
    expect(bodies.join()).toContain("exit 9");
  });
});
