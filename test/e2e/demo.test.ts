import childProcess from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { cleanUp } from "../support/clean-up.js";
import { LAUNCHER, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const SECRET = `ghp_${"demoSecret0".repeat(4).slice(0, 36)}`;

describe("agent-audit demo", () => {
  it("records real MCP servers and real commands, prints the trail, and keeps the secret out", async () => {
    const data = temporaryDirectory();
    const ports = ["--otlp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    const demo = childProcess.spawnSync(
      process.execPath,
      [LAUNCHER, "demo", "--once", "--data", data, ...ports],
      {
        encoding: "utf8",
        timeout: 60_000,
        // A place of the host's own events is none of the demo's.
        env: { ...process.env, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://127.0.0.1:9/v1/logs" },
      },
    );
    expect(demo.stderr).toBe("");
    expect(demo.status).toBe(0);
    expect(demo.stdout).toMatch(/The last 14 events/);
    expect(demo.stdout).toMatch(/ran "sleep 60" -> SIGKILL/);
    expect(demo.stdout).toMatch(/mcp-tool \/ success +8/);
    expect(demo.stdout).not.toContain(SECRET);

    const server = await startServer(data);
    const { events } = await server.get("events?source=mcp-tool&result=success&limit=5");
    expect(events.length).toBe(5);
    for (const event of events) {
      expect(event).toMatchObject({
        source: "mcp-tool",
        result: "success",
        agent: { id: "agt_demo", name: "build-bot" },
        org: { id: "org_demo" },
        stream: { sequence: expect.any(Number) },
      });
    }
    const all = await server.get("events?fields=content&system=true&limit=200");
    expect(JSON.stringify(all)).not.toContain(SECRET);
    expect(JSON.stringify(all)).toContain("[redacted:");
    const secretive = all.events.find(
      ({ redacted }: { redacted: string[] }) => redacted.length > 0,
    );
    expect(secretive.redacted).toContain("agent_audit.process.stdout");
    expect(await server.stop()).toBe(0);
    for (const file of filesBelow(data)) {
      expect(holds(file, SECRET), file).toBe(false);
    }
  });

  it("stopped while its agent acts, it stops that and the server, and leaves no directory", async () => {
    const data = temporaryDirectory();
    const temporary = temporaryDirectory();
    const demo = childProcess.spawn(
      process.execPath,
      [LAUNCHER, "demo", "--data", data, "--otlp", "127.0.0.1:0", "--http", "127.0.0.1:0"],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, TMPDIR: temporary } },
    );
    cleanUp(() => void demo.kill("SIGKILL"));
    demo.stdout.resume();
    const exited = once(demo, "exit");
    const agents = () =>
      fs.readdirSync("/proc").filter((pid) => isOf(pid, "cmdline", "demo/agent.js"));
    const agent = () => agents().find((pid) => isOf(pid, "status", `PPid:\t${demo.pid}\n`));
    await expect.poll(agent, { timeout: 30_000 }).toBeDefined();
    const pid = agent();
    demo.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(fs.readdirSync(temporary)).toEqual([]);
    expect(agents()).not.toContain(pid);
    const server = await startServer(data);
    expect(await server.stop()).toBe(0);
  });
});

/** Tells what the system says of a process, which may have ended. */
function isOf(pid: string, file: "cmdline" | "status", text: string): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, "utf8").includes(text);
  } catch {
    return false;
  }
}

function filesBelow(directory: string): string[] {
  return fs
    .readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function holds(file: string, text: string): boolean {
  const bytes = fs.readFileSync(file);
  return bytes.includes(text) || bytes.includes(zlib.deflateSync(text));
}
