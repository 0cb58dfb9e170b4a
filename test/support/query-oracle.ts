import type { AuditEvent } from "@agent-audit/schema";
import type { StoredEvent } from "./random-events.js";

// What the query API must answer, from plain objects in memory: nothing here comes from the query room.

type Value = string | number | null;

/** Reads each field of the API from an event. */
const FIELDS: Record<string, (event: AuditEvent, stored: StoredEvent) => Value | undefined> = {
  agent: ({ agent, actor }) => agent?.id ?? (actor.type === "agent" ? actor.id : undefined),
  agent_name: ({ agent }) => agent?.name,
  actor_type: ({ actor }) => actor.type,
  actor_id: ({ actor }) => actor.id,
  actor_name: ({ actor }) => actor.name,
  user_id: ({ user }) => user?.id,
  source: ({ source }) => source,
  action: ({ action }) => action,
  action_type: ({ actionType }) => actionType,
  resource_type: ({ resource }) => resource?.type,
  resource_id: ({ resource }) => resource?.id,
  result: ({ result }) => result,
  status_code: ({ statusCode }) => statusCode,
  exit_code: ({ exitCode }) => exitCode,
  org: ({ org }) => org?.id,
  project: ({ project }) => project?.id,
  event_name: ({ eventName }) => eventName,
  decision: ({ decision }) => decision,
  error_type: ({ errorType }) => errorType,
  trace_id: ({ traceId }) => traceId,
  conversation_id: ({ conversationId }) => conversationId,
  model: ({ usage }) => usage?.model ?? usage?.requestModel,
  provider: ({ usage }) => usage?.provider,
  service_name: (_, { serviceName }) => serviceName,
  "attr.label": ({ metadata }) => metadata.label as string | undefined,
  "attr.big": ({ metadata }) => text(metadata.big),
  "attr.ratio": ({ metadata }) => text(metadata.ratio),
  "attr.flag": ({ metadata }) => text(metadata.flag),
  "attr.service.name": (_, { serviceName }) => serviceName,
  "attr.http.response.status_code": ({ statusCode }) => text(statusCode),
};

function text(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

export const FILTER_FIELDS = Object.keys(FIELDS);

/** Reads a field as the API names it; `null` for none. */
export function fieldOf(stored: StoredEvent, name: string): Value {
  return FIELDS[name]?.(stored.event, stored) ?? null;
}

/** Gives the events that a request's filter means. */
export function matching(
  events: readonly StoredEvent[],
  query: readonly (readonly [string, string])[],
): StoredEvent[] {
  const values = (name: string) => query.filter(([key]) => key === name).map(([, v]) => v);
  const [from] = values("from");
  const [to] = values("to");
  const [q] = values("q");
  const phases = values("phase");
  const isSystemWanted = values("system").includes("true") || values("source").includes("system");
  const isUnfinished = values("unfinished").includes("true");
  const ended = new Set(events.filter(({ event }) => event.phase === "end").map(operationOf));
  const names = new Set(query.map(([name]) => name));
  return events.filter((stored) => {
    const { event } = stored;
    if (isUnfinished) {
      if (event.phase !== "start") return false;
      if (event.operationId !== undefined && ended.has(operationOf(stored))) return false;
    }
    if (from !== undefined && event.time < nanosOf(from)) return false;
    if (to !== undefined && event.time >= nanosOf(to)) return false;
    if (event.source === "system" && !isSystemWanted) return false;
    const isLeftOut =
      phases.length === 0 ? event.phase === "start" : !phases.includes(event.phase ?? "");
    if (isLeftOut && !isUnfinished) return false;
    if (q !== undefined && !contains(event, q)) return false;
    return [...names].every((name) => {
      const field = name.replace(/^not_/, "");
      if (FIELDS[field] === undefined) return true;
      const isMatch = values(name).some((pattern) => matches(fieldOf(stored, field), pattern));
      return isMatch !== name.startsWith("not_");
    });
  });
}

function operationOf({ event }: StoredEvent): string {
  return JSON.stringify([event.org?.id, event.operationId]);
}

function matches(value: Value, pattern: string): boolean {
  if (pattern === "") return value === null;
  if (value === null) return false;
  const parts = pattern.split("\\*");
  const last = parts.pop() as string;
  const isPrefix = last.endsWith("*");
  const text = [...parts, isPrefix ? last.slice(0, -1) : last].join("*");
  return isPrefix ? String(value).startsWith(text) : String(value) === text;
}

function contains({ description, action, resource }: AuditEvent, q: string): boolean {
  const needle = folded(q);
  return [description, action, resource?.id].some(
    (part) => part !== undefined && folded(part).includes(needle),
  );
}

/** Character by character, as Unicode's simple mapping: nothing grows, and where it stands does not matter. */
function folded(part: string): string {
  return Array.from(part, (character) => [...character.toLowerCase()][0])
    .join("")
    .replaceAll("ς", "σ");
}

/** Reads RFC 3339 in UTC with up to nine fractional digits. */
export function nanosOf(time: string): bigint {
  const [, whole = "", fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

type Order = "desc" | "asc" | "seq";

/** Sorts as a walk over pages gives events. */
export function inOrder(events: readonly StoredEvent[], order: Order): StoredEvent[] {
  const byTime = (a: StoredEvent, b: StoredEvent) => {
    if (a.event.time !== b.event.time) return a.event.time < b.event.time ? -1 : 1;
    return a.seq - b.seq;
  };
  if (order === "seq") return [...events].sort((a, b) => a.seq - b.seq);
  return [...events].sort(order === "asc" ? byTime : (a, b) => byTime(b, a));
}

/** Counts and sums as the API gives them for a group. */
export function measuresOf(events: readonly StoredEvent[]) {
  const sum = (read: (event: AuditEvent) => number | undefined) =>
    events.reduce((total, { event }) => total + (read(event) ?? 0), 0);
  const results = (result: string) => events.filter(({ event }) => event.result === result).length;
  return {
    count: events.length,
    success_count: results("success"),
    failure_count: results("failure"),
    error_count: results("error"),
    input_tokens: sum(({ usage }) => usage?.inputTokens),
    output_tokens: sum(({ usage }) => usage?.outputTokens),
    cache_read_tokens: sum(({ usage }) => usage?.cacheReadTokens),
    cache_write_tokens: sum(({ usage }) => usage?.cacheWriteTokens),
    bytes: sum(bytesOf),
    cost: costOf(events),
  };
}

function bytesOf({ metadata }: AuditEvent): number {
  const sizes = [metadata["http.request.body.size"], metadata["http.response.body.size"]];
  return sizes.reduce(
    (total: number, size) => total + Number((size as bigint | undefined) ?? 0n),
    0,
  );
}

/** Billionths, from the digits that the price was sent with. */
function nanoOf(amount: number): bigint {
  const [whole = "0", fraction = ""] = amount.toFixed(9).split(".");
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction);
}

function costOf(events: readonly StoredEvent[]) {
  const byCurrency = new Map<string | null, bigint>();
  let unpriced = 0;
  for (const { event } of events) {
    const { cost, currency = null, inputTokens } = event.usage ?? {};
    if (cost !== undefined) {
      byCurrency.set(currency, (byCurrency.get(currency) ?? 0n) + nanoOf(cost));
    } else if (event.source === "llm-proxy" || inputTokens !== undefined) unpriced++;
  }
  const entries = [...byCurrency].sort(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1));
  if (entries.length === 0 && unpriced > 0) entries.push([null, -1n]);
  return entries.map(([currency, nano], i) => ({
    currency,
    amount: nano < 0n ? null : Number(nano) / 1e9,
    unpriced_count: i === 0 ? unpriced : 0,
  }));
}

/** Durations as the API gives them: quantiles lie between two values as far as their rank does. */
export function durationsOf(events: readonly StoredEvent[]) {
  const sorted = events
    .flatMap(({ event }) => (event.duration === undefined ? [] : [Number(event.duration) / 1e6]))
    .sort((a, b) => a - b);
  if (sorted.length === 0) return { avg: null, p50: null, p95: null, max: null };
  const quantile = (q: number) => {
    const place = (sorted.length - 1) * q;
    const [low = 0, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return low + (high - low) * (place - Math.floor(place));
  };
  const avg = sorted.reduce((total, value) => total + value, 0) / sorted.length;
  return { avg, p50: quantile(0.5), p95: quantile(0.95), max: sorted.at(-1) as number };
}

export interface Group {
  key: Value[];
  events: StoredEvent[];
}

const ORDER_VALUES: Record<string, (events: readonly StoredEvent[]) => number | bigint> = {
  count: (events) => events.length,
  failure_count: (events) => measuresOf(events).failure_count,
  error_count: (events) => measuresOf(events).error_count,
  duration: (events) => events.reduce((total, { event }) => total + (event.duration ?? 0n), 0n),
  input_tokens: (events) => measuresOf(events).input_tokens,
  output_tokens: (events) => measuresOf(events).output_tokens,
  cost: (events) => events.reduce((total, { event }) => total + nanoOf(event.usage?.cost ?? 0), 0n),
  bytes: (events) => measuresOf(events).bytes,
};

export const ORDER_NAMES = Object.keys(ORDER_VALUES);

/** Groups events by fields: the largest first, of equal ones by key, absent values last. */
export function groupsOf(
  events: readonly StoredEvent[],
  by: readonly string[],
  orderBy = "count",
): Group[] {
  const groups = new Map<string, Group>();
  for (const stored of events) {
    const key = by.map((name) => fieldOf(stored, name));
    const id = JSON.stringify(key);
    const group = groups.get(id) ?? { key, events: [] };
    group.events.push(stored);
    groups.set(id, group);
  }
  const orderValue = ORDER_VALUES[orderBy] as (typeof ORDER_VALUES)[string];
  const ranked = [...groups.values()].map((group) => ({ group, value: orderValue(group.events) }));
  ranked.sort((a, b) => {
    if (a.value !== b.value) return a.value > b.value ? -1 : 1;
    return compareKeys(a.group.key, b.group.key);
  });
  return ranked.map(({ group }) => group);
}

function compareKeys(a: readonly Value[], b: readonly Value[]): number {
  for (const [i, left] of a.entries()) {
    const right = b[i] ?? null;
    if (left === right) continue;
    if (left === null) return 1;
    if (right === null) return -1;
    if (typeof left === "number" && typeof right === "number") return left - right;
    return Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right)));
  }
  return 0;
}

const MINUTE = 60_000;
const DAY = 86_400_000;

/** Cuts time in a zone by looking at its clock, minute by minute. */
export class OracleZone {
  readonly #format: Intl.DateTimeFormat;
  readonly #dates = new Map<number, string>();

  constructor(zone: string) {
    const options = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
    this.#format = new Intl.DateTimeFormat("en-CA", { timeZone: zone, ...options });
  }

  /** Start, in ms, of the bucket that holds an instant. */
  bucketOf(millis: number, interval: string): number {
    const dayStart = this.#dayStart(millis);
    if (interval === "day") return dayStart;
    if (interval === "week") {
      let start = dayStart;
      while (!this.#isMonday(start)) start = this.#dayStart(start - 1);
      return start;
    }
    const length = lengthOf(interval);
    const begin = DAY % length === 0 ? dayStart : 0;
    return begin + Math.floor((millis - begin) / length) * length;
  }

  /** All buckets that an instant from `first` to `last` lies in. */
  buckets(first: number, last: number, interval: string): number[] {
    const starts = new Set<number>([this.bucketOf(first, interval)]);
    for (let at = Math.ceil(first / MINUTE) * MINUTE; at <= last; at += MINUTE) {
      starts.add(this.bucketOf(at, interval));
    }
    return [...starts];
  }

  /** No clock changes but at whole quarters of an hour. */
  #dayStart(millis: number): number {
    const quarter = 15 * MINUTE;
    let start = Math.floor(millis / quarter) * quarter;
    const date = this.#date(start);
    while (this.#date(start - quarter) === date) start -= quarter;
    return start;
  }

  #isMonday(millis: number): boolean {
    return new Date(`${this.#date(millis)}T00:00:00Z`).getUTCDay() === 1;
  }

  #date(millis: number): string {
    let date = this.#dates.get(millis);
    if (date === undefined) {
      date = this.#format.format(millis);
      this.#dates.set(millis, date);
    }
    return date;
  }
}

function lengthOf(interval: string): number {
  if (interval === "hour") return 60 * MINUTE;
  const [, count, unit] = /^(\d+)([mh])$/.exec(interval) as RegExpExecArray;
  return Number(count) * (unit === "h" ? 60 : 1) * MINUTE;
}
