import type { Auditor } from "../auditor.js";
import { guarded } from "../guarded.js";
import { describeMcpCall, type McpMethod, type McpOutcome } from "./describe-mcp-call.js";

/** What of an MCP client is wrapped; `Client` of `@modelcontextprotocol/client` v2 and of `sdk` v1 both fit. */
export interface McpClientLike {
  // biome-ignore lint/suspicious/noExplicitAny: two SDK lines with different signatures fit the same wrapper
  callTool(...args: any[]): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readResource?(...args: any[]): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  getPrompt?(...args: any[]): Promise<any>;
  getServerVersion?(): { name?: string } | undefined;
  getNegotiatedProtocolVersion?(): string | undefined;
}

export interface McpClientAuditOptions {
  auditor: Auditor;
  /** Name of the server; default what the server calls itself. */
  serverName?: string;
  transport?: "pipe" | "tcp";
  /** Default true: arguments and results are captured after redaction. */
  capturesContent?: boolean;
}

const METHODS = {
  callTool: "tools/call",
  readResource: "resources/read",
  getPrompt: "prompts/get",
} as const satisfies Record<string, McpMethod>;

/**
 * Makes a client record its tool calls, resource reads and prompts. The client itself is changed and
 * given back: same results, same errors, and nothing else of it behaves differently.
 */
export function auditMcpClient<C extends McpClientLike>(
  client: C,
  options: McpClientAuditOptions,
): C {
  // A closed connection no longer knows whose it was.
  let server: ServerNames = {};
  const readServer = guarded(() => {
    server = { ...server, ...serverNames(client) };
  });
  for (const [name, method] of Object.entries(METHODS) as [keyof typeof METHODS, McpMethod][]) {
    const original = client[name];
    if (original === undefined) continue;
    client[name] = async (...args: unknown[]) => {
      const startedAt = BigInt(Date.now()) * 1_000_000n;
      const begin = performance.now();
      readServer();
      const { name: ownName = "unknown", protocolVersion } = server;
      const record = guarded((outcome: McpOutcome) =>
        options.auditor.record(
          describeMcpCall({
            actorName: options.auditor.actorName,
            method,
            params: args[0],
            outcome,
            startedAt,
            durationMillis: performance.now() - begin,
            serverName: options.serverName ?? ownName,
            protocolVersion,
            transport: options.transport ?? "pipe",
            capturesContent: options.capturesContent,
          }),
        ),
      );
      try {
        const result = await original.apply(client, args);
        record({ kind: "result", result });
        return result;
      } catch (error) {
        record(abortOf(args) ?? outcomeOf(error));
        throw error;
      }
    };
  }
  return client;
}

type ServerNames = { name?: string; protocolVersion?: string };

function serverNames(client: McpClientLike): ServerNames {
  const name = client.getServerVersion?.()?.name;
  const protocolVersion = client.getNegotiatedProtocolVersion?.();
  return {
    ...(name === undefined ? {} : { name }),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
  };
}

/** The SDKs report a call that its caller aborted as one that took too long: the signal, in whatever place, knows better. */
function abortOf(args: readonly unknown[]): McpOutcome | null {
  const signal = args
    .map((arg) => (arg as { signal?: unknown } | null | undefined)?.signal)
    .find((signal) => signal instanceof AbortSignal);
  if (signal?.aborted !== true) return null;
  const isTimeout = (signal.reason as Error | undefined)?.name === "TimeoutError";
  return { kind: "failed", errorType: isTimeout ? "timeout" : "cancelled" };
}

/** Tells an error that the server answered with from one of the way to it. */
function outcomeOf(error: unknown): McpOutcome {
  const { code, name, message } = (error ?? {}) as {
    code?: unknown;
    name?: string;
    message?: string;
  };
  if (name === "AbortError") return { kind: "failed", errorType: "cancelled" };
  if (typeof code === "number") {
    // The v1 SDK reports its own time-outs and closed connections with these JSON-RPC codes.
    if (code === -32001) return { kind: "failed", errorType: "timeout" };
    if (code === -32000) return { kind: "failed", errorType: "connection_closed" };
    return { kind: "rpc_error", code, message: message ?? "" };
  }
  // As the v2 SDK calls it.
  if (code === "REQUEST_TIMEOUT") return { kind: "failed", errorType: "timeout" };
  return { kind: "failed", errorType: typeof code === "string" ? code.toLowerCase() : "error" };
}
