import { type LogsRequest, writeLogsRequest } from "@agent-audit/otlp";
import {
  ACTOR_TYPES,
  type AuditEvent,
  DECISIONS,
  RESULTS,
  SOURCES,
  toLogRecord,
  type Usage,
} from "@agent-audit/schema";

/** An event as it was sent, and what its resource and the journal add. */
export interface StoredEvent {
  seq: number;
  event: AuditEvent;
  serviceName: string;
}

/** 2026-03-20T00:00:00Z: the clocks of many zones change in the weeks that follow. */
export const RANDOM_FROM = 1_773_964_800_000_000_000n;
export const RANDOM_DAYS = 42;

/** Hard to compare, to search for and to write into a statement or an address. */
const NAMES = [
  "prod/api",
  "prod/web",
  "Prod/API",
  "prod",
  "100% sure",
  "a_b",
  "a\\b",
  "star*",
  "*",
  "\\*",
  "it's; DROP TABLE events;--",
  "é",
  "É",
  "Straße",
  "STRASSE",
  "ΣΊΣΥΦΟΣ",
  "σίσυφος",
  "İstanbul",
  "日本語",
  "😀 ok",
  "$1",
  "null",
  " ",
  "a,b",
  "\u0000x",
];

type Random = () => number;

export const pick = <T>(random: Random, values: readonly T[]): T =>
  values[Math.floor(random() * values.length)] as T;

/** Makes events of all kinds, many of them alike, some with the same time. */
export function randomEvents(random: Random, count: number): StoredEvent[] {
  const span = BigInt(RANDOM_DAYS) * 86_400_000_000_000n;
  const times = Array.from({ length: Math.ceil(count / 3) }, () => {
    const nanos = BigInt(Math.floor(random() * Number(span / 1000n))) * 1000n;
    return RANDOM_FROM + nanos + BigInt(Math.floor(random() * 1000));
  });
  return Array.from({ length: count }, (_, i) => ({
    seq: i + 1,
    event: randomEvent(random, pick(random, times)),
    serviceName: pick(random, ["api", "worker", "Worker"]),
  }));
}

function randomEvent(random: Random, time: bigint): AuditEvent {
  const maybe = <T>(share: number, make: () => T): T | undefined =>
    random() < share ? make() : undefined;
  const name = () => pick(random, NAMES);
  const isStart = random() < 0.05;
  const source = pick(random, SOURCES);
  const result = isStart ? undefined : pick(random, RESULTS);
  const fields = {
    duration: maybe(0.7, () => BigInt(Math.floor(random() ** 3 * 1e10))),
    result,
    phase: isStart ? ("start" as const) : maybe(0.1, () => "end" as const),
    errorType: result === undefined || result === "success" ? undefined : name(),
    agent: maybe(0.5, () => ({ id: `agt_${Math.floor(random() * 5)}`, name: name() })),
    user: maybe(0.4, () => ({ id: name() })),
    resource: maybe(0.8, () => ({ type: pick(random, ["process", "file", name()]), id: name() })),
    description: maybe(0.8, () => `${name()} did ${name()}`),
    statusCode: maybe(0.4, () => pick(random, [200, 404, 500, -1])),
    exitCode: maybe(0.3, () => Math.floor(random() * 3)),
    decision: maybe(0.3, () => pick(random, DECISIONS)),
    org: maybe(0.6, () => ({ id: pick(random, ["org_1", "org_2", name()]) })),
    project: maybe(0.6, () => ({ id: name() })),
    conversationId: maybe(0.2, name),
    operationId: maybe(isStart ? 0.9 : 0.1, () => `op-${Math.floor(random() * 150)}`),
    traceId: maybe(0.2, () => pick(random, ["a".repeat(32), "b".repeat(32)])),
    usage: maybe(0.4, () => randomUsage(random)),
  };
  return {
    time,
    eventName: pick(random, ["agent_audit.shell.command", "agent_audit.llm.request", "custom"]),
    source,
    actionType: pick(random, ["shell_exec", "llm_request", "other"]),
    action: name(),
    actor: {
      type: pick(random, ACTOR_TYPES),
      ...defined({
        id: maybe(0.8, () => `agt_${Math.floor(random() * 5)}`),
        name: maybe(0.5, name),
      }),
    },
    ...defined(fields),
    metadata: defined({
      label: maybe(0.5, name),
      big: maybe(0.1, () => 2n ** 60n),
      ratio: maybe(0.2, () => pick(random, [0.5, 1.25])),
      flag: maybe(0.2, () => random() < 0.5),
      "http.request.body.size": maybe(0.3, () => BigInt(Math.floor(random() * 1e6))),
      "http.response.body.size": maybe(0.3, () => BigInt(Math.floor(random() * 1e6))),
    }),
  };
}

function randomUsage(random: Random): Usage {
  const count = () => Math.floor(random() * 10_000);
  const isPriced = random() < 0.7;
  return {
    ...defined({
      model: random() < 0.5 ? pick(random, ["m-1", "m-2"]) : undefined,
      requestModel: random() < 0.5 ? pick(random, ["m-1", "m-3"]) : undefined,
      provider: random() < 0.5 ? pick(random, ["p", "q"]) : undefined,
      inputTokens: random() < 0.8 ? count() : undefined,
      outputTokens: random() < 0.8 ? count() : undefined,
      cacheReadTokens: random() < 0.3 ? count() : undefined,
      cacheWriteTokens: random() < 0.3 ? count() : undefined,
      cost: isPriced ? Math.floor(random() * 1e10) / 1e9 : undefined,
      currency: isPriced && random() < 0.9 ? pick(random, ["USD", "EUR"]) : undefined,
    }),
  };
}

/** Leaves out what is undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** Writes events as the protobuf body of one export, each with its resource. */
export function bodyOf(events: readonly StoredEvent[]): Buffer {
  const request: LogsRequest = {
    resourceLogs: events.map(({ event, serviceName }) => ({
      resource: {
        attributes: [{ key: "service.name", value: serviceName }],
        droppedAttributesCount: 0,
      },
      scopeLogs: [{ scope: null, logRecords: [toLogRecord(event)], schemaUrl: "" }],
      schemaUrl: "",
    })),
  };
  return writeLogsRequest(request);
}
