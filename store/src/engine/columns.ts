import {
  ACTOR_TYPES,
  DECISIONS,
  type Envelope,
  PHASES,
  RESULTS,
  SOURCES,
} from "@agent-audit/schema";

/** Says what stands behind an envelope when it becomes a row. */
export interface RowContext {
  seq: bigint;
  receivedNano: bigint;
  storeId: string;
  keyId: string;
  /** The record's resource as a JSON object; `null` for none. */
  resourceJson: string | null;
}

/** Lists where an event's time may come from. */
export const TIME_SOURCES = ["timestamp", "observed", "received"] as const;

type FieldOf<T> = {
  [K in keyof Envelope]: Envelope[K] extends T | null ? K : never;
}[keyof Envelope];

/** Describes a column that holds one field of the envelope as it is. */
export interface FieldColumn<Name extends string = string> {
  readonly name: Name;
  readonly type: "VARCHAR" | "BIGINT" | "INTEGER" | "BOOLEAN" | "ENUM";
  readonly field: FieldOf<string> | FieldOf<number> | FieldOf<boolean>;
  /** Members of an ENUM. */
  readonly values: readonly string[];
}

const column = <Name extends string>(
  name: Name,
  type: FieldColumn["type"],
  field: FieldColumn["field"],
  values: readonly string[] = [],
): FieldColumn<Name> => ({ name, type, field, values });

const text = <Name extends string>(name: Name, field: FieldOf<string>) =>
  column(name, "VARCHAR", field);
const bigint = <Name extends string>(name: Name, field: FieldOf<number>) =>
  column(name, "BIGINT", field);
const int = <Name extends string>(name: Name, field: FieldOf<number>) =>
  column(name, "INTEGER", field);
const oneOf = <Name extends string>(
  name: Name,
  field: FieldOf<string>,
  values: readonly string[],
) => column(name, "ENUM", field, values);

/** The columns that hold one field each. What people filter, group or sum by has one. */
export const FIELD_COLUMNS = [
  oneOf("time_source", "timeSource", TIME_SOURCES),
  text("event_name", "eventName"),
  oneOf("actor_type", "actorType", ACTOR_TYPES),
  text("actor_id", "actorId"),
  text("actor_name", "actorName"),
  text("agent_id", "agentId"),
  text("agent_name", "agentName"),
  text("agent_version", "agentVersion"),
  text("user_id", "userId"),
  text("user_name", "userName"),
  text("user_email", "userEmail"),
  text("conversation_id", "conversationId"),
  oneOf("source", "source", SOURCES),
  text("action_type", "actionType"),
  text("action", "action"),
  text("resource_type", "resourceType"),
  text("resource_id", "resourceId"),
  oneOf("result", "result", RESULTS),
  text("error_type", "errorType"),
  int("status_code", "statusCode"),
  int("exit_code", "exitCode"),
  text("rpc_status_code", "rpcStatusCode"),
  oneOf("decision", "decision", DECISIONS),
  text("description", "description"),
  text("org_id", "orgId"),
  text("org_name", "orgName"),
  text("project_id", "projectId"),
  text("project_name", "projectName"),
  text("trace_id", "traceId"),
  text("span_id", "spanId"),
  text("stream_id", "streamId"),
  bigint("stream_sequence", "streamSequence"),
  column("stream_end", "BOOLEAN", "streamEnd"),
  oneOf("phase", "phase", PHASES),
  text("operation_id", "operationId"),
  text("service_name", "serviceName"),
  text("host_name", "hostName"),
  text("cluster", "clusterName"),
  text("response_model", "responseModel"),
  text("request_model", "requestModel"),
  text("provider", "provider"),
  bigint("input_tokens", "inputTokens"),
  bigint("output_tokens", "outputTokens"),
  bigint("cache_read_tokens", "cacheReadTokens"),
  bigint("cache_write_tokens", "cacheWriteTokens"),
  bigint("reasoning_tokens", "reasoningTokens"),
  text("currency", "currency"),
  text("tool_name", "toolName"),
  text("http_method", "httpMethod"),
  text("server_address", "serverAddress"),
  text("k8s_namespace", "k8sNamespace"),
  text("k8s_verb", "k8sVerb"),
  text("k8s_resource", "k8sResource"),
  text("aws_service", "awsService"),
  text("aws_action", "awsAction"),
  bigint("bytes", "bytes"),
] as const;

/** The columns that are made from more than one field, before and after the others; see `RowWriter`. */
export const LEADING_COLUMNS = [
  { name: "seq", type: "BIGINT NOT NULL" },
  { name: "time", type: "UBIGINT NOT NULL" },
  { name: "observed_time", type: "UBIGINT" },
  { name: "received_time", type: "UBIGINT NOT NULL" },
  { name: "duration_ns", type: "BIGINT" },
  { name: "cost_nano", type: "BIGINT" },
  { name: "id", type: "VARCHAR NOT NULL" },
  { name: "key_id", type: "VARCHAR" },
  { name: "redacted", type: "VARCHAR" },
  { name: "resource_attributes", type: "VARCHAR" },
] as const;

export const TRAILING_COLUMNS = [
  { name: "content", type: "VARCHAR" },
  { name: "attributes", type: "MAP(VARCHAR, VARCHAR) NOT NULL" },
] as const;

/** Names every column of the events table. */
export type ColumnName =
  | (typeof LEADING_COLUMNS)[number]["name"]
  | (typeof FIELD_COLUMNS)[number]["name"]
  | (typeof TRAILING_COLUMNS)[number]["name"];

/** All columns of the events table, in its order. */
export const COLUMN_NAMES: readonly ColumnName[] = [
  ...LEADING_COLUMNS,
  ...FIELD_COLUMNS,
  ...TRAILING_COLUMNS,
].map(({ name }) => name);

/** Writes the definition of the events table's columns. */
export function columnDefinitions(): string {
  const fields = FIELD_COLUMNS.map((column) => {
    const type =
      column.type === "ENUM"
        ? `ENUM(${column.values.map((v) => `'${v}'`).join(", ")})`
        : column.type;
    return `${column.name} ${type}`;
  });
  const composed = ({ name, type }: { name: string; type: string }) => `${name} ${type}`;
  return [...LEADING_COLUMNS.map(composed), ...fields, ...TRAILING_COLUMNS.map(composed)].join(
    ", ",
  );
}
