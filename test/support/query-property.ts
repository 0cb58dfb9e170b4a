import { expect } from "vitest";
import {
  durationsOf,
  FILTER_FIELDS,
  fieldOf,
  groupsOf,
  inOrder,
  matching,
  measuresOf,
  nanosOf,
  ORDER_NAMES,
  OracleZone,
} from "./query-oracle.js";
import { bodyOf, pick, randomEvents, type StoredEvent } from "./random-events.js";
import { seeded } from "./seeded.js";
import { startQuery } from "./start-query.js";
import { temporaryDirectory } from "./temporary-directory.js";

const BATCH = 100;
/** A walk is followed to its end or over this many pages. */
const MAX_PAGES = 8;
const INTEGER_FIELDS = ["status_code", "exit_code"];
const GROUP_FIELDS = FILTER_FIELDS.filter(
  (name) =>
    !/^attr\.|_name$|^(exit_code|trace_id|conversation_id)$/.test(name) || name === "event_name",
);
const FACETS = ["source", "actor_type", "result", "action_type", "resource_type"];
const INTERVALS = ["hour", "day", "week", "15m", "90m", "6h", "7h", "50m"];
/** Clocks change there, some by half an hour, some at midnight; and all others. */
const ZONES = ["UTC", "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Cairo", "America/Santiago"];
const ALL_ZONES = Intl.supportedValuesOf("timeZone");

type Random = () => number;
type Query = [name: string, value: string][];
// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
type Get = (path: string, query: Query) => Promise<any>;

/**
 * Compares the answers to random questions with those of a plain search in memory.
 *
 * @param rounds random filters, each asked of every endpoint
 */
export async function checkQueries({
  events: count,
  segmentRecords,
  rounds,
  seed,
}: {
  events: number;
  segmentRecords: number;
  rounds: number;
  seed: number;
}): Promise<void> {
  console.log(`${count} events, ${rounds} rounds, seed ${seed}`);
  const random = seeded(seed);
  const events = randomEvents(random, count);
  const server = await startQuery(temporaryDirectory(), undefined, undefined, {
    segmentLimits: { maxRecords: segmentRecords, maxJournalBytes: Number.POSITIVE_INFINITY },
  });
  for (let at = 0; at < count; at += BATCH) {
    const batch = events.slice(at, at + BATCH);
    server.append(bodyOf(batch), batch.length);
  }
  await server.settle();
  // Answers come from sums, too, once segments are sealed.
  const hasSums = async () => {
    const snapshot = await server.store.snapshot();
    snapshot.release();
    return snapshot.segments.some(({ sums }) => sums !== null);
  };
  await expect.poll(hasSums, { timeout: 20_000 }).toBe(true);
  const get: Get = async (path, query) => {
    const search = new URLSearchParams(query);
    const { status, body } = await server.get(`/api/v1/${path}?${search}`);
    expect([status, `${search} ${JSON.stringify(body.error)}`]).toEqual([
      200,
      `${search} undefined`,
    ]);
    return body;
  };
  for (let round = 0; round < rounds; round++) {
    const filter = randomFilter(random, events);
    const expected = matching(events, filter);
    await checkEvents(random, get, filter, expected);
    await checkAggregate(random, get, filter, expected);
    await checkFacets(random, get, filter, expected);
    await checkTimeseries(random, get, filter, expected);
  }
  expect(server.errors).toEqual([]);
}

function randomFilter(random: Random, events: readonly StoredEvent[]): Query {
  const query: Query = [];
  const names = new Set<string>();
  for (let conditions = Math.floor(random() * 4); conditions > 0; conditions--) {
    const field = pick(random, FILTER_FIELDS);
    const name = random() < 0.3 ? `not_${field}` : field;
    if (names.has(name)) continue;
    names.add(name);
    for (let values = random() < 0.3 ? 2 : 1; values > 0; values--) {
      query.push([name, randomPattern(random, field, pick(random, events))]);
    }
  }
  if (random() < 0.2) query.push(["q", randomNeedle(random, pick(random, events))]);
  if (random() < 0.2) query.push(["system", "true"]);
  for (const [name, value] of [
    ["phase", "start"],
    ["phase", "end"],
    ["phase", ""],
    ["unfinished", "true"],
  ] as const) {
    const isRefused = name === "unfinished" && query.some(([name]) => name === "phase");
    if (random() < 0.07 && !isRefused) query.push([name, value]);
  }
  const times = [pick(random, events), pick(random, events)]
    .map(({ event }) => event.time)
    .sort((a, b) => (a < b ? -1 : 1));
  for (const [i, name] of (["from", "to"] as const).entries()) {
    if (random() < 0.3) query.push([name, timeText(times[i] as bigint)]);
  }
  return query;
}

function randomPattern(random: Random, field: string, stored: StoredEvent): string {
  const value = fieldOf(stored, field);
  if (value === null || random() < 0.1) return "";
  if (INTEGER_FIELDS.includes(field)) return String(value);
  const letters = Array.from(String(value), (letter) => (letter === "*" ? "\\*" : letter));
  if (random() < 0.2) return `${letters.slice(0, Math.floor(random() * 4)).join("")}*`;
  return letters.join("");
}

function randomNeedle(random: Random, { event }: StoredEvent): string {
  const letters = Array.from(event.description ?? event.action);
  const begin = Math.floor(random() * letters.length);
  const part = letters.slice(begin, begin + 1 + Math.floor(random() * 6)).join("");
  return random() < 0.5 ? part : pick(random, [part.toUpperCase(), part.toLowerCase()]);
}

function timeText(nanos: bigint): string {
  const whole = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${whole}.${String(nanos % 1_000_000_000n).padStart(9, "0")}Z`;
}

async function checkEvents(random: Random, get: Get, filter: Query, expected: StoredEvent[]) {
  const order = pick(random, ["desc", "asc", "seq"] as const);
  const limit = 1 + Math.floor(random() * 200);
  const seqs = inOrder(expected, order).map(({ seq }) => seq);
  const found: number[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const query: Query = [...filter, ["order", order], ["limit", String(limit)]];
    const page = await get("events", cursor === null ? query : [...query, ["cursor", cursor]]);
    found.push(...page.events.map(({ seq }: { seq: number }) => seq));
    cursor = page.next_cursor;
    if (cursor === null) break;
  }
  const about = JSON.stringify({ filter, order, limit });
  expect(found, about).toEqual(cursor === null ? seqs : seqs.slice(0, limit * MAX_PAGES));
}

async function checkAggregate(random: Random, get: Get, filter: Query, expected: StoredEvent[]) {
  const fields = [...GROUP_FIELDS];
  const by = Array.from(
    { length: 1 + Math.floor(random() * 3) },
    () => fields.splice(Math.floor(random() * fields.length), 1)[0] as string,
  );
  const orderBy = pick(random, ORDER_NAMES);
  const limit = pick(random, [1, 3, 20, 1000]);
  const query: Query = [
    ...filter,
    ...by.map((name): [string, string] => ["by", name]),
    ["order_by", orderBy],
    ["limit", String(limit)],
  ];
  const answer = await get("aggregate", query);
  const groups = groupsOf(expected, by, orderBy);
  const rest = groups.slice(limit).flatMap(({ events }) => events);
  const about = JSON.stringify(query);
  expect(
    answer.groups.map(({ key }: { key: object }) => key),
    about,
  ).toEqual(
    groups.slice(0, limit).map(({ key }) => Object.fromEntries(by.map((n, i) => [n, key[i]]))),
  );
  for (const [i, { events }] of groups.slice(0, limit).entries()) {
    const { key: _, ...measures } = answer.groups[i];
    expectMeasures(measures, events, about);
  }
  if (rest.length === 0) expect(answer.other, about).toBeNull();
  else expectMeasures(answer.other, rest, about);
  expectMeasures(answer.total, expected, about);
}

function expectMeasures(
  { duration_ms, ...measures }: { duration_ms: Record<string, number | null> },
  events: readonly StoredEvent[],
  about: string,
): void {
  expect(measures, about).toEqual(measuresOf(events));
  for (const [name, value] of Object.entries(durationsOf(events))) {
    if (value === null) expect(duration_ms[name], about).toBeNull();
    else expect(duration_ms[name], about).toBeCloseTo(value, 5);
  }
}

async function checkFacets(random: Random, get: Get, filter: Query, expected: StoredEvent[]) {
  const limit = 1 + Math.floor(random() * 5);
  const { facets, total } = await get("facets", [...filter, ["limit", String(limit)]]);
  expect(total).toBe(expected.length);
  for (const name of FACETS) {
    const values = groupsOf(expected, [name]).slice(0, limit);
    expect(facets[name], JSON.stringify({ filter, name, limit })).toEqual(
      values.map(({ key, events }) => ({ value: key[0], count: events.length })),
    );
  }
}

async function checkTimeseries(random: Random, get: Get, filter: Query, expected: StoredEvent[]) {
  const interval = pick(random, INTERVALS);
  const tz = pick(random, random() < 0.5 ? ZONES : ALL_ZONES);
  const by = random() < 0.6 ? pick(random, GROUP_FIELDS) : null;
  const limit = 1 + Math.floor(random() * 5);
  const query: Query = [...filter, ["interval", interval], ["tz", tz], ["limit", String(limit)]];
  if (by !== null) query.push(["by", by]);
  const { buckets } = await get("timeseries", query);
  const zone = new OracleZone(tz);
  const eventsOf = new Map<number, StoredEvent[]>();
  for (const start of bucketStarts(zone, interval, filter, expected)) eventsOf.set(start, []);
  for (const stored of expected) {
    eventsOf.get(zone.bucketOf(millisOf(stored.event.time), interval))?.push(stored);
  }
  const about = JSON.stringify(query);
  expect(
    buckets.map(({ start }: { start: string }) => Date.parse(start)),
    about,
  ).toEqual([...eventsOf.keys()]);
  const named = by === null ? [] : groupsOf(expected, [by]).slice(0, limit);
  for (const [i, events] of [...eventsOf.values()].entries()) {
    const { start: _, ...bucket } = buckets[i];
    expect(bucket, about).toEqual({ ...seriesOf(events), ...split(by, named, events) });
  }
}

function bucketStarts(
  zone: OracleZone,
  interval: string,
  filter: Query,
  expected: readonly StoredEvent[],
): number[] {
  const times = inOrder(expected, "asc").map(({ event }) => event.time);
  const limit = (name: string) => filter.find(([key]) => key === name)?.[1];
  const [from, to] = [limit("from"), limit("to")];
  const first = from === undefined ? times[0] : nanosOf(from);
  const last = to === undefined ? times.at(-1) : nanosOf(to) - 1n;
  if (first === undefined || last === undefined || first > last) return [];
  return zone.buckets(millisOf(first), millisOf(last), interval);
}

function split(
  by: string | null,
  named: readonly { key: (string | number | null)[] }[],
  events: readonly StoredEvent[],
) {
  if (by === null) return {};
  const isOf = ({ key: [value] }: (typeof named)[number]) => {
    return (stored: StoredEvent) => fieldOf(stored, by) === value;
  };
  const rest = events.filter((stored) => !named.some((group) => isOf(group)(stored)));
  return {
    groups: named.flatMap((group) => {
      const own = events.filter(isOf(group));
      return own.length === 0 ? [] : [{ key: { [by]: group.key[0] }, ...seriesOf(own) }];
    }),
    other: rest.length === 0 ? null : seriesOf(rest),
  };
}

function seriesOf(events: readonly StoredEvent[]) {
  const { bytes: _, ...measures } = measuresOf(events);
  return measures;
}

function millisOf(nanos: bigint): number {
  return Number(nanos / 1_000_000n);
}
