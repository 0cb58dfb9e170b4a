import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  auditedExec,
  auditedSpawn,
  auditMcpClient,
  createAuditor,
} from "@agent-audit/instrumentation";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { DEMO_SECRET } from "./scenario.js";

// The demo's agent: a process of its own that uses real MCP servers and runs real commands
// in the directory that it is given.

const LAUNCHER = fileURLToPath(new URL("../../bin/agent-audit.cjs", import.meta.url));
const IDENTITY = {
  agent: { id: "agt_demo", name: "build-bot", version: "1.0.0" },
  user: { id: "u_demo" },
  org: "org_demo",
  project: "prj_demo",
  conversationId: `run-${process.pid}`,
};

const auditor = createAuditor(IDENTITY);
const workspace = String(process.argv[2]);
try {
  await throughProxy();
  await throughWrapper();
  await throughShell();
} finally {
  await auditor.shutdown();
}

/** Files through `agent-audit mcp`, as an agent in any language would have them. */
async function throughProxy(): Promise<void> {
  const { agent, user, org, project, conversationId } = IDENTITY;
  const identity = ["--agent", agent.id, "--agent-name", agent.name, "--user", user.id];
  const place = ["--org", org, "--project", project, "--conversation", conversationId];
  const server = [process.execPath, serverFile("filesystem"), workspace];
  const args = [LAUNCHER, "mcp", ...identity, ...place, "--", ...server];
  await withClient(process.execPath, args, async (client) => {
    const notes = path.join(workspace, "notes.txt");
    await client.callTool({ name: "write_file", arguments: { path: notes, content: "hello" } });
    await client.callTool({ name: "read_text_file", arguments: { path: notes } });
    await client.callTool({ name: "list_directory", arguments: { path: workspace } });
    // Outside what the server allows: refused.
    await client.callTool({ name: "read_text_file", arguments: { path: "/etc/shadow" } });
  });
}

/** Other servers through the client wrapper, as an agent whose code one owns would have them. */
async function throughWrapper(): Promise<void> {
  await withClient(process.execPath, [serverFile("memory")], async (client) => {
    auditMcpClient(client, { auditor, serverName: "memory" });
    const entity = { name: "release", entityType: "task", observations: ["tests are green"] };
    await client.callTool({ name: "create_entities", arguments: { entities: [entity] } });
    await client.callTool({ name: "search_nodes", arguments: { query: "release" } });
  });
  await withClient(process.execPath, [serverFile("everything")], async (client) => {
    auditMcpClient(client, { auditor, serverName: "everything" });
    await client.callTool({ name: "echo", arguments: { message: "ready?" } });
    await client.callTool({ name: "get-sum", arguments: { a: 40, b: 2 } });
    await client.callTool({ name: "no-such-tool", arguments: {} }).catch(() => undefined);
    await client.getPrompt({ name: "simple-prompt" });
  });
}

/** Commands: one that works, one that fails, one that shows a secret, one that is killed. */
async function throughShell(): Promise<void> {
  const spawn = auditedSpawn({ auditor });
  const exec = auditedExec({ auditor });
  const run = (line: string) =>
    new Promise<void>((resolve) => {
      exec(line, { cwd: workspace }, () => resolve());
    });
  await run("node --version && echo built > build.log");
  await run("cat no-such-file.txt");
  fs.writeFileSync(path.join(workspace, ".env"), `GITHUB_TOKEN=${DEMO_SECRET}\n`);
  await run("cat .env");
  const hanging = spawn("sleep", ["60"], { cwd: workspace });
  setTimeout(() => hanging.kill("SIGKILL"), 300);
  await new Promise((resolve) => hanging.on("close", resolve));
}

async function withClient(
  command: string,
  args: string[],
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const client = new Client({ name: "build-bot", version: "1.0.0" });
  const memory = path.join(workspace, "memory.json");
  const env = { ...definedOnly(process.env), MEMORY_FILE_PATH: memory };
  await client.connect(new StdioClientTransport({ command, args, env, stderr: "ignore" }));
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

function serverFile(name: string): string {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve(`@modelcontextprotocol/server-${name}/package.json`);
  return path.join(path.dirname(manifest), "dist/index.js");
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
