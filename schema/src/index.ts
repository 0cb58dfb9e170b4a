export * from "./attributes.js";
export { AuditError } from "./audit-error.js";
export {
  ACTOR_TYPES,
  type ActorType,
  type AuditEvent,
  DECISIONS,
  type Decision,
  PHASES,
  type Phase,
  RESULTS,
  type Result,
  SCHEMA_VERSION,
  SOURCES,
  type Source,
  type Usage,
} from "./audit-event.js";
export { CONTENT_ATTRIBUTES } from "./content.js";
export type { Envelope } from "./envelope.js";
export { ENVELOPE_FIELDS, type EnvelopeField } from "./envelope-fields.js";
export * from "./event-names.js";
export * from "./gen-ai-attributes.js";
export { fromLogRecord, toLogRecord } from "./log-record.js";
export { nearestName } from "./nearest-name.js";
export { fromPlain, type Json, toJson } from "./plain-value.js";
export { readEnvelope } from "./read-envelope.js";
export * from "./semantic-attributes.js";
export {
  millisFromNanos,
  nanoFromAmount,
  nanosFromMillis,
  nanosFromSeconds,
  secondsFromNanos,
} from "./units.js";
export {
  type EventFault,
  InvalidEventError,
  MAX_ID_BYTES,
  validateEvent,
} from "./validate-event.js";
