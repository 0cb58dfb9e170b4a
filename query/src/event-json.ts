import { ENVELOPE_FIELDS, type Json, millisFromNanos } from "@agent-audit/schema";
import type { Cell, ColumnName } from "@agent-audit/store";
import { METADATA_COLUMNS } from "./attribute-columns.js";
import { formatTime } from "./time.js";

/** The columns that an event's JSON is made from, in the order of a row. */
export const EVENT_COLUMNS = [
  "seq",
  "time",
  "observed_time",
  "received_time",
  "duration_ns",
  "cost_nano",
  "id",
  "key_id",
  "redacted",
  "time_source",
  "event_name",
  "actor_type",
  "actor_id",
  "actor_name",
  "agent_id",
  "agent_name",
  "agent_version",
  "user_id",
  "user_name",
  "user_email",
  "conversation_id",
  "source",
  "action_type",
  "action",
  "resource_type",
  "resource_id",
  "result",
  "error_type",
  "status_code",
  "exit_code",
  "rpc_status_code",
  "decision",
  "description",
  "org_id",
  "org_name",
  "project_id",
  "project_name",
  "trace_id",
  "span_id",
  "stream_id",
  "stream_sequence",
  "stream_end",
  "phase",
  "operation_id",
  "response_model",
  "request_model",
  "provider",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "reasoning_tokens",
  "currency",
  "tool_name",
  "http_method",
  "server_address",
  "k8s_namespace",
  "k8s_verb",
  "k8s_resource",
  "aws_service",
  "aws_action",
  "attributes",
] as const satisfies readonly ColumnName[];

type EventColumn = (typeof EVENT_COLUMNS)[number];
type Row = Record<EventColumn | "content", Cell>;

const NOTHING = Object.fromEntries(
  [...EVENT_COLUMNS, "content"].map((name) => [name, null]),
) as Row;

/** One event as the API gives it. */
export type EventJson = Record<string, Json>;

const COST_ATTRIBUTE = ENVELOPE_FIELDS.find(({ field }) => field === "costAmount")
  ?.attribute as string;

/**
 * Makes an event's JSON from its row.
 *
 * @param columns what was read of {@link EVENT_COLUMNS} and `content`; the others hold nothing
 * @param cells their values
 * @param withContent whether captured content was asked for
 */
export function eventJson(
  columns: readonly ColumnName[],
  cells: readonly Cell[],
  withContent: boolean,
): EventJson {
  const row = { ...NOTHING };
  for (const [i, name] of columns.entries()) row[name as keyof Row] = cells[i] ?? null;
  return {
    id: row.id as string,
    seq: Number(row.seq),
    time: time(row.time),
    time_source: row.time_source as string,
    observed_time: time(row.observed_time),
    received_time: time(row.received_time),
    duration_ms: row.duration_ns === null ? null : millisFromNanos(row.duration_ns as bigint),
    actor: group({ type: row.actor_type, id: row.actor_id, name: row.actor_name }),
    agent: group({ id: row.agent_id, name: row.agent_name, version: row.agent_version }),
    user: group({ id: row.user_id, name: row.user_name, email: row.user_email }),
    source: scalar(row.source),
    event_name: scalar(row.event_name),
    action_type: scalar(row.action_type),
    action: scalar(row.action),
    resource: group({ type: row.resource_type, id: row.resource_id }),
    result: scalar(row.result),
    error_type: scalar(row.error_type),
    status_code: scalar(row.status_code),
    exit_code: scalar(row.exit_code),
    decision: scalar(row.decision),
    description: scalar(row.description),
    org: group({ id: row.org_id, name: row.org_name }),
    project: group({ id: row.project_id, name: row.project_name }),
    trace_id: scalar(row.trace_id),
    span_id: scalar(row.span_id),
    conversation_id: scalar(row.conversation_id),
    usage: usage(row),
    redacted: row.redacted === null ? [] : (JSON.parse(row.redacted as string) as Json),
    phase: scalar(row.phase),
    operation_id: scalar(row.operation_id),
    stream: group({ id: row.stream_id, sequence: row.stream_sequence, end: row.stream_end }),
    key_id: scalar(row.key_id),
    metadata: metadata(row),
    ...(withContent ? { content: JSON.parse((row.content as string) ?? "null") } : {}),
  };
}

function usage(row: Row): Json {
  const model = row.response_model ?? row.request_model;
  const cost = row.cost_nano;
  const used = [
    model,
    cost,
    row.input_tokens,
    row.output_tokens,
    row.cache_read_tokens,
    row.cache_write_tokens,
    row.reasoning_tokens,
  ];
  if (used.every((value) => value === null)) return null;
  return {
    model: scalar(model),
    provider: scalar(row.provider),
    input_tokens: scalar(row.input_tokens),
    output_tokens: scalar(row.output_tokens),
    cache_read_tokens: scalar(row.cache_read_tokens),
    cache_write_tokens: scalar(row.cache_write_tokens),
    reasoning_tokens: scalar(row.reasoning_tokens),
    cost: cost === null ? null : Number(cost) / 1e9,
    currency: scalar(row.currency),
  };
}

/** An attribute in the map is the original; one in a column stands there since the column holds it exactly. */
function metadata(row: Row): Json {
  const result = new Map<string, Json>();
  for (const [attribute, column] of METADATA_COLUMNS) {
    const cell = row[column as EventColumn];
    if (cell !== null) result.set(attribute, scalar(cell));
  }
  if (row.cost_nano !== null) result.set(COST_ATTRIBUTE, Number(row.cost_nano) / 1e9);
  for (const entry of (row.attributes ?? []) as { key: string; value: string }[]) {
    result.set(entry.key, JSON.parse(entry.value) as Json);
  }
  return Object.fromEntries(result);
}

function time(cell: Cell): string | null {
  return cell === null ? null : formatTime(cell as bigint);
}

/** Counts and sequences are numbers in JSON; all of them are safe integers. */
function scalar(cell: Cell): Json {
  return typeof cell === "bigint" ? Number(cell) : (cell as Json);
}

function group(fields: Record<string, Cell>): Json {
  const set = Object.entries(fields).filter(([, value]) => value !== null);
  if (set.length === 0) return null;
  return Object.fromEntries(set.map(([name, value]) => [name, scalar(value)]));
}
