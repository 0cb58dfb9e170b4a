import { expect } from "vitest";
import { sampleBody, sampleEvent } from "./sample-logs.js";
import { startServer } from "./start-server.js";

const WRITERS = 4;
const BATCH = 3;
const MAX_UPTIME_MILLIS = 250;

/**
 * Kills a server with SIGKILL while it ingests, again and again on one data directory, then compares what
 * it holds with what it acknowledged. The oracle: acknowledged is a subset of stored, stored is a subset
 * of issued, each exactly once, and a fresh event is accepted.
 */
export async function killRounds(data: string, rounds: number, seed: number): Promise<void> {
  console.log(`kill -9 x ${rounds}, seed ${seed}`);
  const random = seeded(seed);
  const acknowledged = new Set<string>();
  const issued = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const server = await startServer(data);
    let isKilled = false;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let i = 0; !isKilled; i++) {
        const ids = Array.from({ length: BATCH }, (_, n) => `${seed}-${round}-${writer}-${i}-${n}`);
        for (const id of ids) issued.add(id);
        if ((await post(server.otlpUrl, ids)) === 200) for (const id of ids) acknowledged.add(id);
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 50 + random() * MAX_UPTIME_MILLIS));
    await server.kill();
    isKilled = true;
    await Promise.all(writers);
  }
  const server = await startServer(data);
  expect(await post(server.otlpUrl, ["fresh"])).toBe(200);
  const found = await allIds(server);
  const stored = new Set(found);
  expect(acknowledged.size).toBeGreaterThan(rounds);
  expect(found.length - stored.size, "doubled").toBe(0);
  expect(
    [...acknowledged].filter((id) => !stored.has(id)),
    "lost",
  ).toEqual([]);
  expect(
    found.filter((id) => !issued.has(id) && id !== "fresh"),
    "made up",
  ).toEqual([]);
  await server.stop();
}

async function allIds(server: Awaited<ReturnType<typeof startServer>>): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = ""; ; ) {
    const page = await server.get(`events?limit=200&order=seq${cursor}`);
    found.push(...page.events.map(({ id }: { id: string }) => id));
    if (page.next_cursor === null) return found;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

/** Sends events and gives the status, 0 for a connection that broke. */
async function post(url: string, ids: string[]): Promise<number> {
  const body = new Uint8Array(sampleBody(...ids.map((id) => sampleEvent({ id }))));
  const headers = { "Content-Type": "application/x-protobuf" };
  return await fetch(url, { method: "POST", headers, body }).then(
    ({ status }) => status,
    () => 0,
  );
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}
