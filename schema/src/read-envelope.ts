import type { AnyValue, KeyValue, LogRecord, Resource } from "@agent-audit/otlp";
import { ATTR_DURATION, ATTR_SCHEMA_VERSION } from "./attributes.js";
import { CONTENT_ATTRIBUTES } from "./content.js";
import { type Envelope, emptyEnvelope } from "./envelope.js";
import {
  ENVELOPE_FIELDS,
  type EnvelopeField,
  RESOURCE_FIELDS,
  readNumber,
  readSize,
  SIZE_ATTRIBUTES,
} from "./envelope-fields.js";
import { ATTR_GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS } from "./gen-ai-attributes.js";
import { nanosFromSeconds } from "./units.js";

/** The deprecated attribute form of `EventName`: accepted, never emitted. */
const ATTR_EVENT_NAME = "event.name";

/** What Rust's tracing bridge puts into `EventName`: a place in the source, no name. */
const SOURCE_LOCATION = /^event .*:\d+$/;
const NAME_LIKE_BODY = /^[a-z0-9_.]+$/;

const FIELD_OF = new Map(ENVELOPE_FIELDS.map((field) => [field.attribute, field]));
const RESOURCE_FIELD_OF = new Map(RESOURCE_FIELDS.map((field) => [field.attribute, field]));
const SIZE_OF = new Map(
  SIZE_ATTRIBUTES.flatMap((row, index) => row.map((attribute) => [attribute, index] as const)),
);

/** What a sender's key fixes, `""` for nothing. It counts before what a record says. */
interface Fixed {
  readonly orgId: string;
  readonly projectId: string;
  readonly agentId: string;
}

const NOTHING_FIXED: Fixed = { orgId: "", projectId: "", agentId: "" };

/**
 * Reads what a log record says into flat fields. Never fails: a value that a field cannot hold stays in
 * `metadata`, and of a key given twice the first fills the field.
 */
export function readEnvelope(
  record: LogRecord,
  resource: Resource | null,
  { orgId, projectId, agentId }: Fixed = NOTHING_FIXED,
): Envelope {
  const envelope = emptyEnvelope();
  readRecordFields(envelope, record);
  const sizes: (number | null)[] = [];
  for (const pair of record.attributes) readAttribute(envelope, pair, sizes);
  for (const size of sizes) {
    if (size != null) envelope.bytes = (envelope.bytes ?? 0) + size;
  }
  if (resource !== null) readResource(envelope, resource);
  if (orgId !== "") envelope.orgId = orgId;
  if (projectId !== "") envelope.projectId = projectId;
  if (agentId !== "") envelope.agentId = agentId;
  envelope.eventName ??= eventNameOf(record);
  inferActor(envelope);
  return envelope;
}

function readRecordFields(envelope: Envelope, record: LogRecord): void {
  if (record.timeUnixNano > 0n) {
    envelope.time = record.timeUnixNano;
    envelope.timeSource = "timestamp";
  } else if (record.observedTimeUnixNano > 0n) {
    envelope.time = record.observedTimeUnixNano;
    envelope.timeSource = "observed";
  }
  if (record.observedTimeUnixNano > 0n) envelope.observedTime = record.observedTimeUnixNano;
  envelope.severityNumber = record.severityNumber;
  if (typeof record.body === "string") envelope.description = record.body;
  if (record.traceId !== "") envelope.traceId = record.traceId;
  if (record.spanId !== "") envelope.spanId = record.spanId;
}

function readAttribute(envelope: Envelope, pair: KeyValue, sizes: (number | null)[]): void {
  const { key, value } = pair;
  const field = FIELD_OF.get(key);
  if (field !== undefined) {
    if (!fill(envelope, field, value)) envelope.metadata.push(pair);
    return;
  }
  if (CONTENT_ATTRIBUTES.has(key)) {
    envelope.content.push(pair);
    return;
  }
  switch (key) {
    case ATTR_SCHEMA_VERSION:
      return;
    case ATTR_DURATION: {
      const seconds = readNumber(value);
      const nanos = seconds === null ? null : nanosFromSeconds(seconds);
      if (nanos === null || envelope.duration !== null) break;
      envelope.duration = nanos;
      return;
    }
    case ATTR_GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS:
      envelope.cacheWriteTokens ??= readSize(value);
      break;
    default: {
      const size = SIZE_OF.get(key);
      if (size !== undefined) sizes[size] ??= readSize(value);
    }
  }
  envelope.metadata.push(pair);
}

/** Fills a field and tells whether the field now holds the attribute exactly, type included. */
function fill(envelope: Envelope, field: EnvelopeField, value: AnyValue): boolean {
  if (envelope[field.field] !== null) return false;
  const read = field.coerce(value);
  if (read === null) return false;
  (envelope as unknown as Record<string, unknown>)[field.field] = read;
  return !field.isMetadata || isSameType(read, value);
}

/** Whole numbers travel as int64, whatever number type a field has. */
function isSameType(read: unknown, value: AnyValue): boolean {
  if (typeof read !== "number") return typeof read === typeof value;
  return typeof value === (Number.isSafeInteger(read) ? "bigint" : "number");
}

function readResource(envelope: Envelope, resource: Resource): void {
  for (const { key, value } of resource.attributes) {
    const field = RESOURCE_FIELD_OF.get(key);
    if (field !== undefined) fill(envelope, field, value);
  }
}

function eventNameOf(record: LogRecord): string | null {
  if (record.eventName !== "" && !SOURCE_LOCATION.test(record.eventName)) return record.eventName;
  const named = record.attributes.find(({ key }) => key === ATTR_EVENT_NAME)?.value;
  if (typeof named === "string" && named !== "") return named;
  return typeof record.body === "string" && NAME_LIKE_BODY.test(record.body) ? record.body : null;
}

/** Foreign records name an agent or a user, but no actor: the agent acted, else the user. */
function inferActor(envelope: Envelope): void {
  if (envelope.actorType !== null || envelope.actorId !== null) return;
  if (envelope.agentId !== null) {
    envelope.actorType = "agent";
    envelope.actorId = envelope.agentId;
    envelope.actorName ??= envelope.agentName;
  } else if (envelope.userId !== null) {
    envelope.actorType = "user";
    envelope.actorId = envelope.userId;
    envelope.actorName ??= envelope.userName;
  }
}
