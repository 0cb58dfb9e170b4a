import type { AnyValue } from "@agent-audit/otlp";
import * as own from "./attributes.js";
import { ACTOR_TYPES, DECISIONS, PHASES, RESULTS, SOURCES } from "./audit-event.js";
import type { Envelope } from "./envelope.js";
import * as genAi from "./gen-ai-attributes.js";
import * as semantic from "./semantic-attributes.js";

/** Reads an attribute's value as a field's value; `null` when it cannot be. */
export type Coerce = (value: AnyValue) => unknown;

/** Says which attribute fills which field of the envelope. */
export interface EnvelopeField {
  readonly attribute: string;
  readonly field: Exclude<keyof Envelope, "metadata" | "content">;
  readonly coerce: Coerce;
  /** Whether people see the attribute in `metadata` as well: it belongs to a surface, not to the envelope. */
  readonly isMetadata: boolean;
}

/** Reads text; a foreign sender's number or boolean is taken by its digits. */
const text: Coerce = (value) => {
  if (typeof value === "string") return value === "" ? null : value;
  return typeof value === "bigint" || typeof value === "number" ? String(value) : null;
};

const number: Coerce = (value) => {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string" || value.trim() === "") return null;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : null;
};

/** Reads an integer that a double holds exactly. */
const integer: Coerce = (value) => {
  const read = number(value);
  return Number.isSafeInteger(read) ? read : null;
};

const int32: Coerce = (value) => {
  const read = integer(value) as number | null;
  return read === null || read !== (read | 0) ? null : read;
};

const count: Coerce = (value) => {
  const read = integer(value) as number | null;
  return read !== null && read >= 0 ? read : null;
};

const boolean: Coerce = (value) => {
  if (typeof value === "boolean") return value;
  if (value === "true") return true;
  return value === "false" ? false : null;
};

const texts: Coerce = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string") ? value : null;

const oneOf =
  (allowed: readonly string[]): Coerce =>
  (value) =>
    typeof value === "string" && allowed.includes(value) ? value : null;

const inEnvelope = (
  attribute: string,
  field: EnvelopeField["field"],
  coerce: Coerce,
): EnvelopeField => ({ attribute, field, coerce, isMetadata: false });

const inMetadata = (
  attribute: string,
  field: EnvelopeField["field"],
  coerce: Coerce,
): EnvelopeField => ({ attribute, field, coerce, isMetadata: true });

/** Maps attributes to fields, once for everybody who reads a record. */
export const ENVELOPE_FIELDS: readonly EnvelopeField[] = [
  inEnvelope(semantic.ATTR_LOG_RECORD_UID, "id", text),
  inEnvelope(own.ATTR_ACTOR_TYPE, "actorType", oneOf(ACTOR_TYPES)),
  inEnvelope(own.ATTR_ACTOR_ID, "actorId", text),
  inEnvelope(own.ATTR_ACTOR_NAME, "actorName", text),
  inEnvelope(genAi.ATTR_GEN_AI_AGENT_ID, "agentId", text),
  inEnvelope(genAi.ATTR_GEN_AI_AGENT_NAME, "agentName", text),
  inEnvelope(genAi.ATTR_GEN_AI_AGENT_VERSION, "agentVersion", text),
  inEnvelope(semantic.ATTR_USER_ID, "userId", text),
  inEnvelope(semantic.ATTR_USER_NAME, "userName", text),
  inEnvelope(semantic.ATTR_USER_EMAIL, "userEmail", text),
  inEnvelope(genAi.ATTR_GEN_AI_CONVERSATION_ID, "conversationId", text),
  inEnvelope(own.ATTR_SOURCE, "source", oneOf(SOURCES)),
  inEnvelope(own.ATTR_ACTION_TYPE, "actionType", text),
  inEnvelope(own.ATTR_ACTION_NAME, "action", text),
  inEnvelope(own.ATTR_RESOURCE_TYPE, "resourceType", text),
  inEnvelope(own.ATTR_RESOURCE_ID, "resourceId", text),
  inEnvelope(own.ATTR_RESULT, "result", oneOf(RESULTS)),
  inEnvelope(semantic.ATTR_ERROR_TYPE, "errorType", text),
  inEnvelope(own.ATTR_DECISION, "decision", oneOf(DECISIONS)),
  inEnvelope(own.ATTR_ORG_ID, "orgId", text),
  inEnvelope(own.ATTR_ORG_NAME, "orgName", text),
  inEnvelope(own.ATTR_PROJECT_ID, "projectId", text),
  inEnvelope(own.ATTR_PROJECT_NAME, "projectName", text),
  inEnvelope(own.ATTR_STREAM_ID, "streamId", text),
  inEnvelope(own.ATTR_STREAM_SEQUENCE, "streamSequence", count),
  inEnvelope(own.ATTR_STREAM_END, "streamEnd", boolean),
  inEnvelope(own.ATTR_REDACTED, "redacted", texts),
  inEnvelope(own.ATTR_PHASE, "phase", oneOf(PHASES)),
  inEnvelope(own.ATTR_OPERATION_ID, "operationId", text),
  inMetadata(semantic.ATTR_HTTP_RESPONSE_STATUS_CODE, "statusCode", int32),
  inMetadata(semantic.ATTR_PROCESS_EXIT_CODE, "exitCode", int32),
  inMetadata(semantic.ATTR_RPC_STATUS_CODE, "rpcStatusCode", text),
  inMetadata(genAi.ATTR_GEN_AI_RESPONSE_MODEL, "responseModel", text),
  inMetadata(genAi.ATTR_GEN_AI_REQUEST_MODEL, "requestModel", text),
  inMetadata(genAi.ATTR_GEN_AI_PROVIDER_NAME, "provider", text),
  inMetadata(genAi.ATTR_GEN_AI_USAGE_INPUT_TOKENS, "inputTokens", count),
  inMetadata(genAi.ATTR_GEN_AI_USAGE_OUTPUT_TOKENS, "outputTokens", count),
  inMetadata(genAi.ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, "cacheReadTokens", count),
  inMetadata(genAi.ATTR_GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, "cacheWriteTokens", count),
  inMetadata(genAi.ATTR_GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, "reasoningTokens", count),
  inMetadata(own.ATTR_COST_AMOUNT, "costAmount", number),
  inMetadata(own.ATTR_COST_CURRENCY, "currency", text),
  inMetadata(genAi.ATTR_GEN_AI_TOOL_NAME, "toolName", text),
  inMetadata(semantic.ATTR_HTTP_REQUEST_METHOD, "httpMethod", text),
  inMetadata(semantic.ATTR_SERVER_ADDRESS, "serverAddress", text),
  inMetadata(semantic.ATTR_K8S_NAMESPACE_NAME, "k8sNamespace", text),
  inMetadata(own.ATTR_K8S_VERB, "k8sVerb", text),
  inMetadata(own.ATTR_K8S_RESOURCE, "k8sResource", text),
  inMetadata(own.ATTR_AWS_SERVICE, "awsService", text),
  inMetadata(own.ATTR_AWS_ACTION, "awsAction", text),
];

/** The fields that fall back to the resource of the record. */
export const RESOURCE_FIELDS: readonly EnvelopeField[] = [
  ...ENVELOPE_FIELDS.filter(({ field }) =>
    ["orgId", "orgName", "projectId", "projectName"].includes(field),
  ),
  inEnvelope(semantic.ATTR_SERVICE_NAME, "serviceName", text),
  inEnvelope(semantic.ATTR_HOST_NAME, "hostName", text),
  inEnvelope(semantic.ATTR_K8S_CLUSTER_NAME, "clusterName", text),
];

/** Sizes that add up to `bytes`: the first one present of each row counts. */
export const SIZE_ATTRIBUTES: readonly (readonly string[])[] = [
  [
    semantic.ATTR_HTTP_REQUEST_SIZE,
    semantic.ATTR_HTTP_REQUEST_BODY_SIZE,
    own.ATTR_TUNNEL_BYTES_SENT,
  ],
  [
    semantic.ATTR_HTTP_RESPONSE_SIZE,
    semantic.ATTR_HTTP_RESPONSE_BODY_SIZE,
    own.ATTR_TUNNEL_BYTES_RECEIVED,
  ],
  [own.ATTR_FILE_BYTES],
];

/** Reads a size for {@link SIZE_ATTRIBUTES}. */
export const readSize = count as (value: AnyValue) => number | null;

/** Reads seconds or any other double. */
export const readNumber = number as (value: AnyValue) => number | null;
