import { AuditError } from "./audit-error.js";
import {
  ACTOR_TYPES,
  type AuditEvent,
  DECISIONS,
  PHASES,
  RESULTS,
  SOURCES,
} from "./audit-event.js";
import { CONTENT_ATTRIBUTES } from "./content.js";
import { RESERVED_ATTRIBUTES } from "./reserved-attributes.js";

/** Ids are keys of the duplicate state: longer ones are refused rather than cut. */
export const MAX_ID_BYTES = 512;

const MAX_DURATION_NANOS = 2n ** 51n;
const MAX_TIME_NANOS = 2n ** 64n - 1n;

/** Says what is wrong with one field. */
export interface EventFault {
  /** Path into the event, e.g. `actor.type`. */
  path: string;
  message: string;
}

/** Reports an event that is no audit event, with every fault. */
export class InvalidEventError extends AuditError {
  readonly faults: readonly EventFault[];

  constructor(faults: readonly EventFault[]) {
    const list = faults.map(({ path, message }) => `${path} ${message}`).join("; ");
    super("invalid_event", `not an audit event: ${list}`, "correct the fields that are named");
    this.name = "InvalidEventError";
    this.faults = faults;
  }
}

/** Checks an event against the schema and lists all its faults; none means that it may be sent. */
export function validateEvent(event: AuditEvent): EventFault[] {
  const faults: EventFault[] = [];
  const check = (isRight: boolean, path: string, message: string) => {
    if (!isRight) faults.push({ path, message });
  };
  const member = (value: string | undefined, allowed: readonly string[], path: string) => {
    if (value === undefined) return;
    check(allowed.includes(value), path, `is ${quote(value)}; use one of ${allowed.join(", ")}`);
  };
  const id = (value: string | undefined, path: string) => {
    if (value === undefined) return;
    const bytes = Buffer.byteLength(value);
    check(bytes > 0 && bytes <= MAX_ID_BYTES, path, `must have 1 to ${MAX_ID_BYTES} bytes`);
  };
  const count = (value: number | undefined, path: string, from = 0) => {
    if (value === undefined) return;
    const isRight = Number.isSafeInteger(value) && value >= from;
    check(isRight, path, `must be a whole number from ${from}`);
  };
  const int32 = (value: number | undefined, path: string) => {
    if (value !== undefined) check(value === (value | 0), path, "must be a 32-bit integer");
  };
  const hex = (value: string | undefined, digits: number, path: string) => {
    if (value === undefined) return;
    const isRight = value.length === digits && /^[0-9a-f]+$/.test(value) && !/^0+$/.test(value);
    check(isRight, path, `must be ${digits} lower-case hex digits, not all zero`);
  };

  check(event.time > 0n && event.time <= MAX_TIME_NANOS, "time", "must be ns from 1 to 2^64-1");
  if (event.observedTime !== undefined) {
    const isRight = event.observedTime > 0n && event.observedTime <= MAX_TIME_NANOS;
    check(isRight, "observedTime", "must be ns from 1 to 2^64-1");
  }
  if (event.duration !== undefined) {
    const isRight = event.duration >= 0n && event.duration <= MAX_DURATION_NANOS;
    check(isRight, "duration", "must be ns from 0 to 2^51 (26 days)");
  }
  for (const name of ["eventName", "actionType", "action"] as const) {
    check(typeof event[name] === "string" && event[name] !== "", name, "must not be empty");
  }
  member(String(event.source), SOURCES, "source");
  member(String(event.actor?.type), ACTOR_TYPES, "actor.type");
  member(event.result, RESULTS, "result");
  member(event.decision, DECISIONS, "decision");
  member(event.phase, PHASES, "phase");
  if (event.phase === "start") {
    check(event.result === undefined, "result", "must be left out on a start record");
  } else {
    check(event.result !== undefined, "result", `is missing; use one of ${RESULTS.join(", ")}`);
  }
  const needsErrorType = event.result === "failure" || event.result === "error";
  check(!needsErrorType || Boolean(event.errorType), "errorType", `is required on ${event.result}`);
  id(event.id, "id");
  id(event.actor?.id, "actor.id");
  id(event.agent?.id, "agent.id");
  id(event.user?.id, "user.id");
  id(event.org?.id, "org.id");
  id(event.project?.id, "project.id");
  id(event.stream?.id, "stream.id");
  id(event.operationId, "operationId");
  id(event.conversationId, "conversationId");
  count(event.stream?.sequence, "stream.sequence", 1);
  int32(event.statusCode, "statusCode");
  int32(event.exitCode, "exitCode");
  hex(event.traceId, 32, "traceId");
  hex(event.spanId, 16, "spanId");
  const { usage } = event;
  if (usage !== undefined) {
    count(usage.inputTokens, "usage.inputTokens");
    count(usage.outputTokens, "usage.outputTokens");
    count(usage.cacheReadTokens, "usage.cacheReadTokens");
    count(usage.cacheWriteTokens, "usage.cacheWriteTokens");
    count(usage.reasoningTokens, "usage.reasoningTokens");
    check(usage.cost === undefined || Number.isFinite(usage.cost), "usage.cost", "must be finite");
  }
  for (const key of Object.keys(event.content ?? {})) {
    check(CONTENT_ATTRIBUTES.has(key), `content.${key}`, "is no content attribute; use metadata");
  }
  for (const key of Object.keys(event.metadata ?? {})) {
    const isFree = !RESERVED_ATTRIBUTES.has(key) && !CONTENT_ATTRIBUTES.has(key);
    check(isFree, `metadata.${key}`, "has a field of its own; set that field instead");
  }
  return faults;
}

function quote(value: string): string {
  return JSON.stringify(value.slice(0, 100));
}
