import { ACTOR_TYPES, DECISIONS, RESULTS, SOURCES } from "@agent-audit/schema";
import type { ColumnName } from "@agent-audit/store";

/** Says how a filter or a grouping reads a field. */
export interface Field {
  /** The column; of several the first that is not null counts. */
  readonly columns: readonly [ColumnName, ...ColumnName[]];
  readonly type: "text" | "integer";
  /** What the field can hold, where that is a closed list. */
  readonly values?: readonly string[];
}

const text = (...columns: [ColumnName, ...ColumnName[]]): Field => ({ columns, type: "text" });
const integer = (column: ColumnName): Field => ({ columns: [column], type: "integer" });
const oneOf = (column: ColumnName, values: readonly string[]): Field => ({
  columns: [column],
  type: "text",
  values,
});

/** The fields of the query API by their parameter's name. */
export const FIELDS: Readonly<Record<string, Field>> = {
  // The agent, or the actor where an agent acted under no other name: see `columnSql`.
  agent: text("agent_id", "actor_id"),
  agent_name: text("agent_name"),
  actor_type: oneOf("actor_type", ACTOR_TYPES),
  actor_id: text("actor_id"),
  actor_name: text("actor_name"),
  user_id: text("user_id"),
  source: oneOf("source", SOURCES),
  action: text("action"),
  action_type: text("action_type"),
  resource_type: text("resource_type"),
  resource_id: text("resource_id"),
  result: oneOf("result", RESULTS),
  status_code: integer("status_code"),
  exit_code: integer("exit_code"),
  org: text("org_id"),
  project: text("project_id"),
  event_name: text("event_name"),
  decision: oneOf("decision", DECISIONS),
  error_type: text("error_type"),
  trace_id: text("trace_id"),
  conversation_id: text("conversation_id"),
  model: text("response_model", "request_model"),
  provider: text("provider"),
  service_name: text("service_name"),
  host_name: text("host_name"),
  cluster: text("cluster"),
  key_id: text("key_id"),
  stream_id: text("stream_id"),
};

/** The fields that `/aggregate` and `/timeseries` can group by. */
export const GROUP_FIELDS = [
  "source",
  "actor_type",
  "actor_id",
  "agent",
  "user_id",
  "result",
  "action",
  "action_type",
  "resource_type",
  "resource_id",
  "org",
  "project",
  "model",
  "provider",
  "decision",
  "status_code",
  "error_type",
  "event_name",
] as const;
export type GroupField = (typeof GROUP_FIELDS)[number];

/** The five breakdowns of `/facets`. */
export const FACET_FIELDS = [
  "source",
  "actor_type",
  "result",
  "action_type",
  "resource_type",
] as const satisfies readonly GroupField[];
