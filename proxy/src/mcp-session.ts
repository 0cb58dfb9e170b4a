import {
  type Auditor,
  describeMcpCall,
  MCP_METHODS,
  type McpMethod,
  type McpOutcome,
} from "@agent-audit/instrumentation";
import { ATTR_MCP_SERVER_NAME, ATTR_NETWORK_TRANSPORT } from "@agent-audit/schema";
import { type Message, messagesOf } from "./mcp-message.js";

/** Requests that wait for an answer at most; older ones are recorded as unanswered. */
const MAX_PENDING = 10_000;
const UNREADABLE = "unreadable_message";

interface Pending {
  method: McpMethod;
  params: unknown;
  startedAt: bigint;
  beganAt: number;
}

export interface McpSessionOptions {
  auditor: Auditor;
  /** Name of the server until it says its own. */
  serverName: string;
  transport: "pipe" | "tcp";
  capturesContent: boolean;
}

/** Follows one MCP session from beside the pipe: pairs requests with answers and records the actions. */
export class McpSession {
  readonly #options: McpSessionOptions;
  readonly #pending = new Map<string, Pending>();
  #serverName: string;
  #clientName: string | undefined;
  #clientVersion: string | undefined;
  #protocolVersion: string | undefined;
  #initializeId: string | null = null;
  #hasUnreadAnswer = false;

  constructor(options: McpSessionOptions) {
    this.#options = options;
    this.#serverName = options.serverName;
  }

  /** Takes one line that the client sent. */
  fromClient(line: string): void {
    const messages = messagesOf(line);
    if (messages === null) this.unreadFromClient(Buffer.byteLength(line));
    else for (const message of messages) this.#request(message);
  }

  /** Records a message that is not read here: the server may read it, and do what it asks for. */
  unreadFromClient(sizeBytes: number): void {
    const { auditor, transport } = this.#options;
    auditor.record({
      source: "mcp-tool",
      actionType: UNREADABLE,
      action: `${this.#serverName}/unreadable`,
      resource: { type: "mcp.server", id: this.#serverName },
      result: "error",
      errorType: UNREADABLE,
      description: `${auditor.actorName} sent ${this.#serverName} a message that could not be read (${sizeBytes} bytes)`,
      attributes: {
        [ATTR_MCP_SERVER_NAME]: this.#serverName,
        [ATTR_NETWORK_TRANSPORT]: transport,
      },
    });
  }

  /** Takes one line that the server sent: where it is no message, the client knows no more than we. */
  fromServer(line: string): void {
    for (const message of messagesOf(line) ?? []) this.#answer(message);
  }

  /** Takes note of an answer that is not read here: to which request cannot be told. */
  unreadFromServer(): void {
    this.#hasUnreadAnswer = true;
  }

  /** Records what will never be answered. */
  end(errorType: string): void {
    const reason = this.#hasUnreadAnswer ? UNREADABLE : errorType;
    for (const id of [...this.#pending.keys()]) {
      this.#record(id, { kind: "failed", errorType: reason });
    }
  }

  #request(message: Message): void {
    const { id, method, params } = message;
    if (method === "notifications/cancelled") {
      const cancelled = keyOf(asObject(params).requestId);
      if (cancelled !== null) this.#record(cancelled, { kind: "failed", errorType: "cancelled" });
      return;
    }
    const key = keyOf(id);
    if (key === null) return;
    if (method === "initialize") this.#initialize(key, asObject(params));
    if (!(MCP_METHODS as readonly unknown[]).includes(method)) return;
    // An id in use again: the first request's answer can no longer be told from the second's.
    this.#record(key, { kind: "failed", errorType: "unanswered" });
    if (this.#pending.size >= MAX_PENDING) {
      const [oldest] = this.#pending.keys();
      if (oldest !== undefined) this.#record(oldest, { kind: "failed", errorType: "unanswered" });
    }
    this.#pending.set(key, {
      method: method as McpMethod,
      params,
      startedAt: BigInt(Date.now()) * 1_000_000n,
      beganAt: performance.now(),
    });
  }

  #initialize(key: string, params: Record<string, unknown>): void {
    this.#initializeId = key;
    const { name, version } = asObject(params.clientInfo);
    if (typeof name === "string") this.#clientName = name;
    if (typeof version === "string") this.#clientVersion = version;
  }

  #answer({ id, method, result, error }: Message): void {
    const key = keyOf(id);
    // A message with a method is the server's own request: its ids are another series.
    if (key === null || method !== undefined) return;
    if (key === this.#initializeId) {
      this.#initializeId = null;
      const { protocolVersion, serverInfo } = asObject(result);
      const { name } = asObject(serverInfo);
      if (typeof protocolVersion === "string") this.#protocolVersion = protocolVersion;
      if (typeof name === "string" && name !== "") this.#serverName = name;
    }
    if (error == null) this.#record(key, { kind: "result", result });
    else {
      const code = typeof error.code === "number" ? error.code : 0;
      const message = typeof error.message === "string" ? error.message : "";
      this.#record(key, { kind: "rpc_error", code, message });
    }
  }

  #record(key: string, outcome: McpOutcome): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#pending.delete(key);
    const { auditor, transport, capturesContent } = this.#options;
    auditor.record(
      describeMcpCall({
        actorName: auditor.actorName,
        method: pending.method,
        params: pending.params,
        outcome,
        startedAt: pending.startedAt,
        durationMillis: performance.now() - pending.beganAt,
        serverName: this.#serverName,
        clientName: this.#clientName,
        clientVersion: this.#clientVersion,
        protocolVersion: this.#protocolVersion,
        requestId: String(JSON.parse(key)),
        transport,
        capturesContent,
      }),
    );
  }
}

/** Ids are strings or numbers, and `1` is not `"1"`. */
function keyOf(id: unknown): string | null {
  return typeof id === "string" || typeof id === "number" ? JSON.stringify(id) : null;
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
