import { setTimeout as sleep } from "node:timers/promises";
import { EVERYTHING, type Snapshot } from "@agent-audit/store";
import { describe, expect, it } from "vitest";
import { inOrder, matching } from "../../test/support/query-oracle.js";
import { bodyOf, randomEvents } from "../../test/support/random-events.js";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { runSeed, seeded } from "../../test/support/seeded.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { findEvents, parseEventsRequest } from "./events.js";
import { Parameters } from "./parse-filter.js";

const ENDLESS = "SELECT count(*) FROM range(100000000) a, range(100000000) b";
/** Places in the queue. */
const WAITING = 64;

const startWithOne = async (timeoutMillis?: number) => {
  const data = temporaryDirectory();
  const server = await startQuery(data, undefined, undefined, undefined, {
    queryTimeoutMillis: timeoutMillis,
  });
  server.append(sampleBody(sampleEvent()), 1);
  await server.settle();
  return server;
};

/** Keeps both places of the engine taken until it is aborted. */
const takeBothPlaces = async (store: Awaited<ReturnType<typeof startWithOne>>["store"]) => {
  const ending = new AbortController();
  const snapshot = await store.snapshot(undefined, { signal: ending.signal });
  const endless = [1, 2].map(() => snapshot.query({ sql: ENDLESS, timeoutMillis: 600_000 }));
  const ended = Promise.allSettled(endless);
  return async () => {
    ending.abort();
    const outcomes = await ended;
    snapshot.release();
    return outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason.code);
  };
};

describe("queries", () => {
  it("are stopped together, however many a request takes", async () => {
    const { get } = await startWithOne(1);
    const { status, headers, body } = await get("/api/v1/aggregate?by=source");
    expect([status, body.error.code]).toEqual([503, "query_timeout"]);
    expect(headers.get("retry-after")).toBe("2");
  });

  it("wait for a place, are refused where too many wait, and leave when their client does", async () => {
    const { store, get, server } = await startWithOne();
    const endBoth = await takeBothPlaces(store);
    const clients = new AbortController();
    const url = `${server.url}/api/v1/facets`;
    const waiting = Array.from({ length: WAITING }, () =>
      fetch(url, { signal: clients.signal }).catch(() => null),
    );
    const refused = async () => (await get("/api/v1/facets?limit=3")).status === 429;
    await expect.poll(refused, { timeout: 20_000 }).toBe(true);
    clients.abort();
    await Promise.all(waiting);
    let answered: number | null = null;
    const patient = (async () => {
      // Until the server has seen that the others are gone.
      for (;;) {
        const { status } = await get("/api/v1/facets");
        if (status !== 429) return status;
        await sleep(20);
      }
    })().then((status) => {
      answered = status;
    });
    await sleep(500);
    expect(answered).toBeNull();
    expect(await endBoth()).toEqual(["query_cancelled", "query_cancelled"]);
    await patient;
    expect(answered).toBe(200);
  });

  it("that found no place until their time was over are told to come back", async () => {
    const { store, get } = await startWithOne(200);
    const endBoth = await takeBothPlaces(store);
    const { status, body } = await get("/api/v1/facets");
    expect([status, body.error.code]).toEqual([429, "too_many_queries"]);
    await endBoth();
  });
});

describe("a page that runs out of time", () => {
  it("says so, and a walk goes on from where it was, each event once", async () => {
    const seed = runSeed();
    console.log(`seed ${seed}`);
    const events = randomEvents(seeded(seed), 1_500);
    const { store, append, settle } = await startQuery(temporaryDirectory(), undefined, undefined, {
      segmentLimits: { maxRecords: 400, maxJournalBytes: Number.POSITIVE_INFINITY },
    });
    append(bodyOf(events.slice(0, 700)), 700);
    append(bodyOf(events.slice(700)), 800);
    await settle();
    for (const order of ["desc", "asc", "seq"] as const) {
      for (const [name, value] of [
        ["q", "straSSE"],
        ["attr.label", "prod*"],
        ["attr.flag", "true"],
      ] as const) {
        const found: number[] = [];
        let partialPages = 0;
        let cursor: string | null = null;
        do {
          const search = new URLSearchParams([
            [name, value],
            ["order", order],
            ["limit", "200"],
          ]);
          if (cursor !== null) search.set("cursor", cursor);
          const request = parseEventsRequest(
            new Parameters(search, EVERYTHING),
            search,
            store.storeId,
            0n,
          );
          const snapshot = await store.snapshot();
          const page = await findEvents(hurried(snapshot), request, 100n);
          snapshot.release();
          if (page.partial) partialPages++;
          found.push(...page.events.map(({ seq }) => seq as number));
          cursor = page.next_cursor;
        } while (cursor !== null);
        const expected = inOrder(matching(events, [[name, value]]), order);
        expect(found, `${order} ${name}`).toEqual(expected.map(({ seq }) => seq));
        expect(partialPages, `${order} ${name}`).toBeGreaterThan(0);
      }
    }
  });

  /** Has time for two slices. */
  function hurried(snapshot: Snapshot): Snapshot {
    let left = 4;
    return { ...snapshot, tables: [], remainingMillis: () => (--left > 0 ? 10_000 : 0) };
  }
});
