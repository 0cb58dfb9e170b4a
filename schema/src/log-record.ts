import {
  type AnyValue,
  emptyLogRecord,
  type KeyValue,
  type LogRecord,
  type Resource,
} from "@agent-audit/otlp";
import { ATTR_DURATION, ATTR_SCHEMA_VERSION } from "./attributes.js";
import { type AuditEvent, SCHEMA_VERSION, type Usage } from "./audit-event.js";
import type { Envelope } from "./envelope.js";
import { ENVELOPE_FIELDS } from "./envelope-fields.js";
import { EVENT_FIELDS } from "./event-fields.js";
import { readEnvelope } from "./read-envelope.js";
import { RESERVED_ATTRIBUTES } from "./reserved-attributes.js";
import { secondsFromNanos } from "./units.js";
import { InvalidEventError, validateEvent } from "./validate-event.js";

/** Severity of each result: INFO, WARN, ERROR; a start record is INFO. */
const SEVERITY = { success: 9, failure: 13, error: 17 } as const;

/**
 * Writes an event as the log record that carries it.
 *
 * @throws InvalidEventError with every fault, when the event does not follow the schema
 */
export function toLogRecord(event: AuditEvent): LogRecord {
  const faults = validateEvent(event);
  if (faults.length > 0) throw new InvalidEventError(faults);
  return {
    ...emptyLogRecord(),
    timeUnixNano: event.time,
    observedTimeUnixNano: event.observedTime ?? 0n,
    severityNumber: SEVERITY[event.result ?? "success"],
    body: event.description,
    eventName: event.eventName,
    traceId: event.traceId ?? "",
    spanId: event.spanId ?? "",
    attributes: attributesOf(event),
  };
}

/**
 * Reads an event back from its log record.
 *
 * @param resource fills org and project where the record names none
 * @throws InvalidEventError when the record is no audit event, such as a foreign log
 */
export function fromLogRecord(record: LogRecord, resource: Resource | null = null): AuditEvent {
  const envelope = readEnvelope(record, resource);
  const event = eventOf(envelope, record);
  const faults = validateEvent(event);
  if (faults.length > 0) throw new InvalidEventError(faults);
  return event;
}

function attributesOf(event: AuditEvent): KeyValue[] {
  const values = fieldValues(event);
  const attributes: KeyValue[] = [{ key: ATTR_SCHEMA_VERSION, value: SCHEMA_VERSION }];
  if (event.duration !== undefined) {
    attributes.push({ key: ATTR_DURATION, value: secondsFromNanos(event.duration) });
  }
  for (const { attribute, field } of ENVELOPE_FIELDS) {
    const value = values[field];
    if (value !== undefined) attributes.push({ key: attribute, value });
  }
  for (const record of [event.content, event.metadata]) {
    for (const [key, value] of Object.entries(record ?? {})) attributes.push({ key, value });
  }
  return attributes;
}

/** Spreads the event's nested fields over the envelope's flat names. */
function fieldValues(event: AuditEvent): Partial<Record<keyof Envelope, AnyValue | undefined>> {
  const { actor, agent, user, resource, org, project, stream, usage } = event;
  return {
    id: event.id,
    actorType: actor.type,
    actorId: actor.id,
    actorName: actor.name,
    agentId: agent?.id,
    agentName: agent?.name,
    agentVersion: agent?.version,
    userId: user?.id,
    userName: user?.name,
    userEmail: user?.email,
    conversationId: event.conversationId,
    source: event.source,
    actionType: event.actionType,
    action: event.action,
    resourceType: resource?.type,
    resourceId: resource?.id,
    result: event.result,
    errorType: event.errorType,
    statusCode: int(event.statusCode),
    exitCode: int(event.exitCode),
    decision: event.decision,
    orgId: org?.id,
    orgName: org?.name,
    projectId: project?.id,
    projectName: project?.name,
    streamId: stream?.id,
    streamSequence: int(stream?.sequence),
    streamEnd: stream?.end,
    redacted: event.redacted,
    phase: event.phase,
    operationId: event.operationId,
    responseModel: usage?.model,
    requestModel: usage?.requestModel,
    provider: usage?.provider,
    inputTokens: int(usage?.inputTokens),
    outputTokens: int(usage?.outputTokens),
    cacheReadTokens: int(usage?.cacheReadTokens),
    cacheWriteTokens: int(usage?.cacheWriteTokens),
    reasoningTokens: int(usage?.reasoningTokens),
    costAmount: usage?.cost,
    currency: usage?.currency,
  };
}

function int(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}

function eventOf(envelope: Envelope, record: LogRecord): AuditEvent {
  const event = {
    time: envelope.time,
    eventName: envelope.eventName ?? "",
    source: envelope.source,
    actionType: envelope.actionType ?? "",
    action: envelope.action ?? "",
    actor: compact({
      type: envelope.actorType,
      id: envelope.actorId,
      name: envelope.actorName,
    }),
    ...compact({
      id: envelope.id,
      observedTime: envelope.observedTime,
      duration: envelope.duration,
      result: envelope.result,
      errorType: envelope.errorType,
      description: envelope.description,
      statusCode: envelope.statusCode,
      exitCode: envelope.exitCode,
      decision: envelope.decision,
      conversationId: envelope.conversationId,
      traceId: envelope.traceId,
      spanId: envelope.spanId,
      phase: envelope.phase,
      operationId: envelope.operationId,
      redacted: envelope.redacted,
      agent: group({
        id: envelope.agentId,
        name: envelope.agentName,
        version: envelope.agentVersion,
      }),
      user: group({ id: envelope.userId, name: envelope.userName, email: envelope.userEmail }),
      resource: group({ type: envelope.resourceType, id: envelope.resourceId }),
      org: group({ id: envelope.orgId, name: envelope.orgName }),
      project: group({ id: envelope.projectId, name: envelope.projectName }),
      stream: group({
        id: envelope.streamId,
        sequence: envelope.streamSequence,
        end: envelope.streamEnd,
      }),
      usage: usageOf(envelope),
      content:
        envelope.content.length === 0
          ? null
          : Object.fromEntries(envelope.content.map(({ key, value }) => [key, value])),
    }),
    metadata: metadataOf(envelope, record),
  };
  // validateEvent, which every caller runs next, is what makes this claim true.
  return event as AuditEvent;
}

function usageOf(envelope: Envelope): Usage | null {
  return group({
    model: envelope.responseModel,
    requestModel: envelope.requestModel,
    provider: envelope.provider,
    inputTokens: envelope.inputTokens,
    outputTokens: envelope.outputTokens,
    cacheReadTokens: envelope.cacheReadTokens,
    cacheWriteTokens: envelope.cacheWriteTokens,
    reasoningTokens: envelope.reasoningTokens,
    cost: envelope.costAmount,
    currency: envelope.currency,
  }) as Usage | null;
}

/** What the envelope left over, and what it holds in fields that the event does not have. */
function metadataOf(envelope: Envelope, record: LogRecord): Record<string, AnyValue> {
  const surface = new Set<string>(
    ENVELOPE_FIELDS.filter(({ field }) => !EVENT_FIELDS.has(field)).map((f) => f.attribute),
  );
  const pairs = [
    ...envelope.metadata.filter(({ key }) => !RESERVED_ATTRIBUTES.has(key)),
    ...record.attributes.filter(({ key }) => surface.has(key)),
  ];
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

/** Leaves out what is null. */
function compact(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** Leaves out what is null, and the whole group when nothing is left. */
function group(fields: Record<string, unknown>): Record<string, unknown> | null {
  const set = compact(fields);
  return Object.keys(set).length === 0 ? null : set;
}
