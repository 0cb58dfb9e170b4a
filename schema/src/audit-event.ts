import type { AnyValue } from "@agent-audit/otlp";

/** Version of this schema, sent with every event. */
export const SCHEMA_VERSION = "1.0.0";

/** Lists the surfaces; `system` marks health and server events. */
export const SOURCES = [
  "mcp-tool",
  "k8s-proxy",
  "shell",
  "forward-proxy",
  "sandbox",
  "aws-proxy",
  "llm-proxy",
  "system",
] as const;
export type Source = (typeof SOURCES)[number];

/**
 * Lists the outcomes. `success`: the target did it. `failure`: it refused or reported failure (policy,
 * HTTP 4xx/5xx, exit code, MCP `isError`). `error`: the surface could not carry it out (timeout, DNS, crash).
 */
export const RESULTS = ["success", "failure", "error"] as const;
export type Result = (typeof RESULTS)[number];

export const ACTOR_TYPES = ["user", "agent", "system"] as const;
export type ActorType = (typeof ACTOR_TYPES)[number];

export const DECISIONS = ["allowed", "denied", "approved", "modified", "observed"] as const;
export type Decision = (typeof DECISIONS)[number];

export const PHASES = ["start", "end"] as const;
export type Phase = (typeof PHASES)[number];

/** Counts what an LLM call used. Tokens are counts from 0; input tokens include cached ones. */
export interface Usage {
  /** Model that answered. */
  model?: string;
  /** Model that was asked for. */
  requestModel?: string;
  provider?: string;
  inputTokens?: number;
  outputTokens?: number;
  cacheReadTokens?: number;
  cacheWriteTokens?: number;
  reasoningTokens?: number;
  /** Price in `currency`; left out when unknown, never guessed. */
  cost?: number;
  /** ISO 4217 code. */
  currency?: string;
}

/** Records one action of an agent. Times are ns since 1970 UTC, durations ns. */
export interface AuditEvent {
  /** At most 512 bytes; our emitter makes a UUIDv7. */
  id?: string;
  /** When the action started; from 1. */
  time: bigint;
  /** When the record was written. */
  observedTime?: bigint;
  /** From 0 to 2^51 (26 days), the range in which seconds as a double are exact to the ns. */
  duration?: bigint;
  eventName: string;
  source: Source;
  actionType: string;
  action: string;
  /** Required except on `phase: "start"`. */
  result?: Result;
  /** Required unless `result` is `success` or absent. */
  errorType?: string;
  actor: { type: ActorType; id?: string; name?: string };
  agent?: { id?: string; name?: string; version?: string };
  user?: { id?: string; name?: string; email?: string };
  resource?: { type: string; id: string };
  description?: string;
  /** HTTP status only. */
  statusCode?: number;
  exitCode?: number;
  decision?: Decision;
  org?: { id: string; name?: string };
  project?: { id: string; name?: string };
  conversationId?: string;
  /** 32 hex digits. */
  traceId?: string;
  /** 16 hex digits. */
  spanId?: string;
  phase?: Phase;
  operationId?: string;
  redacted?: string[];
  /** `sequence` counts from 1 in the emitter's process. */
  stream?: { id: string; sequence: number; end?: boolean };
  usage?: Usage;
  /** Captured output, arguments, results and prompts, by attribute name: see {@link CONTENT_ATTRIBUTES}. */
  content?: Record<string, AnyValue>;
  /** All other attributes, by name. */
  metadata: Record<string, AnyValue>;
}
