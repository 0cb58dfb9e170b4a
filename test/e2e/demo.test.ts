import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { describe, expect, it } from "vitest";
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
      { encoding: "utf8", timeout: 60_000 },
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
});

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
