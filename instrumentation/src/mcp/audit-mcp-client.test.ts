import { EventEmitter, once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { LogRecord } from "@opentelemetry/api-logs";
import { describe, expect, it } from "vitest";
import { cleanUp } from "../../../test/support/clean-up.js";
import { createAuditor } from "../auditor.js";
import { auditMcpClient } from "./audit-mcp-client.js";

const server = path.join(
  path.dirname(
    createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/package.json"),
  ),
  "dist/index.js",
);
const transport = { command: process.execPath, args: [server], stderr: "ignore" as const };
const info = { name: "test", version: "1" };

describe.each([
  ["v2", () => new Client(info), () => new StdioClientTransport(transport)],
  ["v1", () => new ClientV1(info), () => new StdioV1(transport)],
])("auditMcpClient with the SDK %s and a real server", (line, makeClient, makeTransport) => {
  // The options stand behind a result schema in one line of the SDK, in its place in the other.
  const optionsBehind = (options: object) => (line === "v1" ? [undefined, options] : [options]);
  const slow = { name: "trigger-long-running-operation", arguments: { duration: 60, steps: 600 } };
  const connected = async () => {
    const records: LogRecord[] = [];
    const auditor = createAuditor({
      logger: { emit: (record: LogRecord) => records.push(record) },
    });
    // biome-ignore lint/suspicious/noExplicitAny: the two SDK lines share no type
    const client = makeClient() as any;
    await client.connect(makeTransport());
    cleanUp(() => client.close());
    return { records, auditor, client: auditMcpClient(client, { auditor }) };
  };

  it("records calls, refusals, prompts and resources, and changes nothing for the caller", async () => {
    const records: LogRecord[] = [];
    const auditor = createAuditor({
      logger: { emit: (record: LogRecord) => records.push(record) },
    });
    // biome-ignore lint/suspicious/noExplicitAny: the two SDK lines share no type
    const client = makeClient() as any;
    await client.connect(makeTransport());
    cleanUp(() => client.close());
    const plain = await client.callTool({ name: "echo", arguments: { message: "hi" } });
    auditMcpClient(client, { auditor });
    expect(await client.callTool({ name: "echo", arguments: { message: "hi" } })).toEqual(plain);
    const missing = { name: "no-such-tool", arguments: {} };
    const refusal = await client.callTool(missing).catch((error: unknown) => error);
    expect(refusal instanceof Error || refusal.isError).toBe(true);
    await client.getPrompt({ name: "simple-prompt" });
    await expect(client.readResource({ uri: "demo://no/such" })).rejects.toThrow();
    const options = { signal: AbortSignal.abort() };
    const echo = { name: "echo", arguments: { message: "hi" } };
    await expect(client.callTool(echo, ...optionsBehind(options))).rejects.toThrow();
    expect(records.pop()?.attributes).toMatchObject({
      "agent_audit.result": "error",
      "error.type": "cancelled",
    });
    const seen = records.map(({ attributes = {} }) => [
      attributes["agent_audit.action.type"],
      String(attributes["agent_audit.resource.id"]).split("/").at(-1),
      attributes["agent_audit.result"],
    ]);
    expect(seen).toEqual([
      ["tool_call", "echo", "success"],
      ["tool_call", "no-such-tool", "failure"],
      ["prompt_get", "simple-prompt", "success"],
      ["resource_read", "such", "failure"],
    ]);
    expect(records[0]?.attributes).toMatchObject({
      "gen_ai.tool.call.arguments": { message: "hi" },
      "mcp.method.name": "tools/call",
      "gen_ai.operation.name": "execute_tool",
      "agent_audit.content.arguments_sha256": expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("names the server of a call during which the connection closes, and after it", async () => {
    const { records, client } = await connected();
    const running = new EventEmitter();
    const behind = optionsBehind({ onprogress: () => running.emit("progress") });
    const call = expect(client.callTool(slow, ...behind)).rejects.toThrow();
    await once(running, "progress");
    await client.close();
    await call;
    await expect(client.callTool(slow)).rejects.toThrow();
    expect(records.length).toBe(2);
    for (const { attributes } of records) {
      expect(attributes?.["agent_audit.mcp.server.name"]).toMatch(/everything/);
    }
    expect(records[0]?.attributes?.["error.type"]).toBe("connection_closed");
  });

  it("calls what took too long a timeout", async () => {
    const { records, client } = await connected();
    const behind = optionsBehind({ timeout: 50 });
    await expect(client.callTool(slow, ...behind)).rejects.toThrow();
    expect(records[0]?.attributes?.["error.type"]).toBe("timeout");
  });
});
