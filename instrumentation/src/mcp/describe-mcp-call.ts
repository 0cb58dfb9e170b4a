import {
  ATTR_CONTENT_ARGUMENTS_SHA256,
  ATTR_CONTENT_RESULT_SHA256,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_PROMPT_NAME,
  ATTR_GEN_AI_TOOL_CALL_ARGUMENTS,
  ATTR_GEN_AI_TOOL_CALL_RESULT,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_JSONRPC_REQUEST_ID,
  ATTR_MCP_CLIENT_NAME,
  ATTR_MCP_CLIENT_VERSION,
  ATTR_MCP_METHOD_NAME,
  ATTR_MCP_PROTOCOL_VERSION,
  ATTR_MCP_RESOURCE_URI,
  ATTR_MCP_SERVER_NAME,
  ATTR_NETWORK_TRANSPORT,
  ATTR_RPC_STATUS_CODE,
  type Result,
} from "@agent-audit/schema";
import { captureContent, contentDigest } from "../content-capture.js";
import { formatDuration } from "../format-duration.js";
import type { RecordInput } from "../record-input.js";

/** The requests that count as actions of an agent. */
export const MCP_METHODS = ["tools/call", "resources/read", "prompts/get"] as const;
export type McpMethod = (typeof MCP_METHODS)[number];

/** How a request ended. */
export type McpOutcome =
  | { kind: "result"; result: unknown }
  /** A JSON-RPC error that the server answered with. */
  | { kind: "rpc_error"; code: number; message: string }
  /** The request was not carried out: `errorType` such as `timeout`, `cancelled`, `connection_closed`. */
  | { kind: "failed"; errorType: string };

export interface McpCall {
  actorName: string;
  method: McpMethod;
  params: unknown;
  outcome: McpOutcome;
  startedAt: bigint;
  durationMillis: number;
  serverName: string;
  clientName?: string | undefined;
  clientVersion?: string | undefined;
  protocolVersion?: string | undefined;
  requestId?: string | undefined;
  transport: "pipe" | "tcp";
  /** Whether arguments and result are captured; their digests always are. Default true. */
  capturesContent?: boolean | undefined;
}

/** Turns an MCP request and its outcome into the input of an event. */
export function describeMcpCall(call: McpCall): RecordInput {
  const target = targetOf(call);
  const { result, errorType, rpcStatusCode } = resultOf(call.outcome);
  const parameters = asRecord(call.params);
  const isTool = call.method === "tools/call";
  const answer = call.outcome.kind === "result" ? call.outcome.result : undefined;
  const content =
    call.capturesContent === false
      ? undefined
      : definedOnly({
          [ATTR_GEN_AI_TOOL_CALL_ARGUMENTS]: captureContent(parameters.arguments),
          [ATTR_GEN_AI_TOOL_CALL_RESULT]: captureContent(answer),
        });
  const traceparent = asRecord(parameters._meta).traceparent;
  return {
    source: "mcp-tool",
    actionType: target.actionType,
    action: target.action,
    resource: target.resource,
    result,
    ...(errorType === undefined ? {} : { errorType }),
    time: call.startedAt,
    durationMillis: call.durationMillis,
    description: `${call.actorName} called ${target.action} -> ${errorType ?? result} (${formatDuration(call.durationMillis)})`,
    ...(content === undefined ? {} : { content }),
    ...(typeof traceparent === "string" ? { traceparent } : {}),
    attributes: definedOnly({
      [ATTR_MCP_METHOD_NAME]: call.method,
      [ATTR_MCP_PROTOCOL_VERSION]: call.protocolVersion,
      [ATTR_MCP_SERVER_NAME]: call.serverName,
      [ATTR_MCP_CLIENT_NAME]: call.clientName,
      [ATTR_MCP_CLIENT_VERSION]: call.clientVersion,
      [ATTR_JSONRPC_REQUEST_ID]: call.requestId,
      [ATTR_NETWORK_TRANSPORT]: call.transport,
      [ATTR_RPC_STATUS_CODE]: rpcStatusCode,
      [ATTR_GEN_AI_OPERATION_NAME]: isTool ? "execute_tool" : undefined,
      [ATTR_GEN_AI_TOOL_NAME]: isTool ? target.name : undefined,
      [ATTR_MCP_RESOURCE_URI]: call.method === "resources/read" ? target.name : undefined,
      [ATTR_GEN_AI_PROMPT_NAME]: call.method === "prompts/get" ? target.name : undefined,
      [ATTR_CONTENT_ARGUMENTS_SHA256]: contentDigest(parameters.arguments),
      [ATTR_CONTENT_RESULT_SHA256]: contentDigest(answer),
    }),
  };
}

function targetOf({ method, params, serverName }: McpCall) {
  const { name, uri } = asRecord(params);
  const named = method === "resources/read" ? uri : name;
  const target = typeof named === "string" ? named : "unknown";
  const id = `${serverName}/${target}`;
  switch (method) {
    case "tools/call":
      return {
        name: target,
        actionType: "tool_call",
        action: id,
        resource: { type: "mcp.tool", id },
      };
    case "resources/read":
      return {
        name: target,
        actionType: "resource_read",
        action: id,
        resource: { type: "mcp.resource", id: target },
      };
    case "prompts/get":
      return {
        name: target,
        actionType: "prompt_get",
        action: id,
        resource: { type: "mcp.prompt", id },
      };
    default:
      return method satisfies never;
  }
}

function resultOf(outcome: McpOutcome): {
  result: Result;
  errorType?: string;
  rpcStatusCode?: string;
} {
  switch (outcome.kind) {
    case "result":
      return asRecord(outcome.result).isError === true
        ? { result: "failure", errorType: "tool_error" }
        : { result: "success" };
    case "rpc_error": {
      const code = String(outcome.code);
      return { result: "failure", errorType: code, rpcStatusCode: code };
    }
    case "failed":
      return { result: "error", errorType: outcome.errorType };
    default:
      return outcome satisfies never;
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function definedOnly(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
