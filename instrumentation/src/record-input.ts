import { type AnyValue, isKeyValueList } from "@agent-audit/otlp";
import {
  type AuditEvent,
  type Decision,
  EVENT_AWS_REQUEST,
  EVENT_HEARTBEAT,
  EVENT_HTTP_REQUEST,
  EVENT_K8S_REQUEST,
  EVENT_LLM_REQUEST,
  EVENT_MCP_TOOL_CALL,
  EVENT_SANDBOX_LIFECYCLE,
  EVENT_SHELL_COMMAND,
  fromPlain,
  nanosFromMillis,
  type Phase,
  type Result,
  type Source,
  type Usage,
} from "@agent-audit/schema";
import { type Identity, identityFields } from "./identity.js";
import { redactText } from "./redaction/redact.js";

/** What `record()` takes: the surface's part of an event. Ids, stream, identity, times and trace are filled in. */
export interface RecordInput {
  source: Source;
  actionType: string;
  /** Default: `actionType`. */
  action?: string;
  /** Default `success`; a start record has none. */
  result?: Result;
  /** One display line. Default: who did what to what, and how it ended. */
  description?: string;
  /** ms, fractions allowed. */
  durationMillis?: number;
  resource?: { type: string; id: string };
  /** Required on `failure` and `error`. */
  errorType?: string;
  statusCode?: number;
  exitCode?: number;
  decision?: Decision;
  usage?: Usage;
  /** Captured content by attribute name, any JavaScript value. */
  content?: Record<string, unknown>;
  /** Further attributes by name, any JavaScript value; whole numbers become integers. */
  attributes?: Record<string, unknown>;
  /** When the action started; default now. A bigint is ns since 1970 UTC. */
  time?: Date | bigint;
  /** Default: the source's own event name. */
  eventName?: string;
  phase?: Phase;
  operationId?: string;
  /** Attributes whose values the caller has redacted already; the auditor adds those that it redacts. */
  redacted?: readonly string[];
  /** W3C `traceparent` of the action, where it is not that of the active span. */
  traceparent?: string;
}

/** The event name of each surface, where the caller gives none. */
const EVENT_NAMES: Record<Source, string> = {
  "mcp-tool": EVENT_MCP_TOOL_CALL,
  "k8s-proxy": EVENT_K8S_REQUEST,
  shell: EVENT_SHELL_COMMAND,
  "forward-proxy": EVENT_HTTP_REQUEST,
  sandbox: EVENT_SANDBOX_LIFECYCLE,
  "aws-proxy": EVENT_AWS_REQUEST,
  "llm-proxy": EVENT_LLM_REQUEST,
  system: EVENT_HEARTBEAT,
};

/** Longest text of an attribute, in UTF-16 units; longer ones are cut and say so. */
const MAX_TEXT_LENGTH = 256 * 1024;

/** Makes the event that an input stands for, without ids and stream. */
export function eventOf(input: RecordInput, identity: Identity, now: bigint): AuditEvent {
  const { source, actionType, resource, errorType, statusCode, exitCode, decision, usage } = input;
  const { phase, operationId } = input;
  const action = cut(input.action ?? actionType);
  const result = phase === "start" ? undefined : (input.result ?? "success");
  const fields = identityFields(identity);
  const duration =
    input.durationMillis === undefined ? undefined : nanosFromMillis(input.durationMillis);
  return {
    ...fields,
    time: timeOf(input.time, now),
    observedTime: now,
    eventName: input.eventName ?? EVENT_NAMES[source] ?? "",
    source,
    actionType,
    action,
    description: cut(input.description ?? describe(fields, action, resource, result)),
    metadata: plainMap(input.attributes ?? {}),
    ...(input.content === undefined ? {} : { content: plainMap(input.content) }),
    ...(input.redacted?.length ? { redacted: [...input.redacted] } : {}),
    ...(resource === undefined ? {} : { resource: { type: resource.type, id: cut(resource.id) } }),
    ...optional({
      result,
      errorType,
      statusCode,
      exitCode,
      decision,
      usage,
      duration,
      phase,
      operationId,
    }),
  };
}

function describe(
  { actor }: Pick<AuditEvent, "actor">,
  action: string,
  resource: RecordInput["resource"],
  result: Result | undefined,
): string {
  const target = resource === undefined ? "" : ` on ${resource.type} ${resource.id}`;
  return `${actor.name ?? actor.id ?? "an agent"}: ${action}${target} -> ${result ?? "started"}`;
}

function timeOf(time: Date | bigint | undefined, now: bigint): bigint {
  if (time === undefined) return now;
  return typeof time === "bigint" ? time : BigInt(time.getTime()) * 1_000_000n;
}

function plainMap(values: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, cutAll(fromPlain(value))]),
  );
}

/** Cuts text wherever it stands in a value. */
function cutAll(value: AnyValue): AnyValue {
  if (typeof value === "string") return cut(value);
  if (Array.isArray(value)) return value.map(cutAll);
  if (value === null || !isKeyValueList(value)) return value;
  return { values: value.values.map(({ key, value }) => ({ key, value: cutAll(value) })) };
}

function cut(text: string): string {
  const wellFormed = text.toWellFormed();
  if (wellFormed.length <= MAX_TEXT_LENGTH) return wellFormed;
  const kept = redactText(wellFormed).slice(0, MAX_TEXT_LENGTH).toWellFormed();
  return `${kept}[cut: ${wellFormed.length} characters]`;
}

function optional<T extends Record<string, unknown>>(fields: T) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
