import { createAuditor } from "@agent-audit/instrumentation";
import { describe, expect, it } from "vitest";
import { McpSession } from "./mcp-session.js";

const session = () => {
  const seen: unknown[][] = [];
  const auditor = createAuditor({
    logger: {
      emit: ({ attributes = {} }) => {
        seen.push([attributes["agent_audit.action.name"], attributes["error.type"] ?? "ok"]);
      },
    },
  });
  const mcp = new McpSession({
    auditor,
    serverName: "files",
    transport: "pipe",
    capturesContent: true,
  });
  const client = (message: unknown) => mcp.fromClient(JSON.stringify(message));
  const server = (message: unknown) => mcp.fromServer(JSON.stringify(message));
  const call = (id: unknown, name: unknown = "read") =>
    client({ jsonrpc: "2.0", id, method: "tools/call", params: { name } });
  return { mcp, seen, client, server, call };
};

describe("McpSession", () => {
  it("pairs answers with requests, in any order, and tells 1 from the text 1", () => {
    const { seen, server, call } = session();
    call(1, "a");
    call("1", "b");
    server({ id: "1", result: {} });
    server({ id: 1, result: { isError: true } });
    expect(seen).toEqual([
      ["files/b", "ok"],
      ["files/a", "tool_error"],
    ]);
  });

  it("takes the server's name from its own words", () => {
    const { seen, client, server, call } = session();
    client({ id: 0, method: "initialize", params: { clientInfo: { name: "c", version: "1" } } });
    server({ id: 0, result: { protocolVersion: "2025-11-25", serverInfo: { name: "real" } } });
    call(1);
    server({ id: 1, result: {} });
    expect(seen).toEqual([["real/read", "ok"]]);
  });

  it.each([
    ["an error that is null", { id: 1, result: {}, error: null }, "ok"],
    ["an error", { id: 1, error: { code: -32602, message: "no" } }, "-32602"],
    ["an error of odd parts", { id: 1, error: { code: {}, message: { toString: 1 } } }, "0"],
  ])("takes %s", (_, answer, errorType) => {
    const { seen, server, call } = session();
    call(1);
    server(answer);
    expect(seen).toEqual([["files/read", errorType]]);
  });

  it("survives names and messages that are none", () => {
    const { mcp, seen, server, call } = session();
    mcp.fromClient(" ");
    mcp.fromServer("[1, null, {}]");
    call(1, { toString: 1 });
    server({ id: 1, result: {} });
    expect(seen).toEqual([["files/unknown", "ok"]]);
  });

  it("reads the numbers that Python writes, and leaves texts alone", () => {
    const { mcp, seen, call } = session();
    const params = '{"name":"NaN \\" Infinity","arguments":{"x":[NaN,-Infinity, Infinity]}}';
    mcp.fromClient(`{"id":1,"method":"tools/call","params":${params}}`);
    call(2, "b");
    mcp.fromServer('{"id":1,"result":{"structuredContent":{"mean":NaN}}}');
    mcp.fromServer('{"id":2,"error":{"code":-1,"data":-Infinity}}');
    expect(seen).toEqual([
      ['files/NaN " Infinity', "ok"],
      ["files/b", "-1"],
    ]);
  });

  it("records what the client sent and nobody here can read, and what an unread answer may belong to", () => {
    const { mcp, seen, call } = session();
    mcp.fromClient('{"method":"tools/call",');
    mcp.unreadFromClient(20_000_000);
    call(1);
    mcp.unreadFromServer();
    mcp.end("server_exit");
    expect(seen).toEqual([
      ["files/unreadable", "unreadable_message"],
      ["files/unreadable", "unreadable_message"],
      ["files/read", "unreadable_message"],
    ]);
  });

  it("records what was cancelled, what an id in use again covers, and what was never answered", () => {
    const { mcp, seen, client, call } = session();
    call(1, "a");
    client({ method: "notifications/cancelled", params: { requestId: 1 } });
    call(2, "b");
    call(2, "c");
    mcp.end("server_exit");
    expect(seen).toEqual([
      ["files/a", "cancelled"],
      ["files/b", "unanswered"],
      ["files/c", "server_exit"],
    ]);
  });

  it("reads batches", () => {
    const { seen, client, server } = session();
    const request = (id: number) => ({ id, method: "prompts/get", params: { name: `p${id}` } });
    client([request(1), request(2)]);
    server([
      { id: 2, result: {} },
      { id: 1, result: {} },
    ]);
    expect(seen).toEqual([
      ["files/p2", "ok"],
      ["files/p1", "ok"],
    ]);
  });
});
