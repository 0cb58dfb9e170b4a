import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkStore } from "@agent-audit/store/check";
import { expect } from "vitest";
import { Ledger } from "./ledger.js";
import { seeded } from "./seeded.js";
import { startServer } from "./start-server.js";
import { temporaryDirectory } from "./temporary-directory.js";

const WRITERS = 4;
const BATCH = 3;
const MAX_UPTIME_MILLIS = 250;

type End = (server: Awaited<ReturnType<typeof startServer>>) => Promise<void>;

/**
 * Kills a server with SIGKILL while it ingests, again and again on one data directory, then compares: what is
 * stored with what was acknowledged, and the engine with the journal.
 *
 * @param segmentRecords records of a segment, so that it rolls and is sealed underneath; default: one a day
 */
export async function killRounds(
  data: string,
  rounds: number,
  seed: number,
  segmentRecords?: number,
): Promise<void> {
  console.log(`kill -9 x ${rounds}, seed ${seed}, ${segmentRecords ?? "all"} records a segment`);
  await endRounds(data, rounds, seed, ({ kill }) => kill(), segmentRecords);
}

/** Stops a server in order while it ingests, again and again on one data directory, then compares. */
export async function stopRounds(data: string, rounds: number, seed: number): Promise<void> {
  console.log(`SIGTERM x ${rounds}, seed ${seed}`);
  await endRounds(data, rounds, seed, async ({ stop }) => {
    expect(await stop()).toBe(0);
  });
}

async function endRounds(
  data: string,
  rounds: number,
  seed: number,
  end: End,
  segmentRecords?: number,
): Promise<void> {
  const args = segmentRecords === undefined ? [] : ["--config", configFile(segmentRecords)];
  const random = seeded(seed);
  const ledger = new Ledger();
  for (let round = 0; round < rounds; round++) {
    const server = await startServer(data, args);
    let hasEnded = false;
    const writers = Array.from({ length: WRITERS }, async () => {
      // What one server did not acknowledge goes to the next, as a client would send it again.
      for (let ids = ledger.issue(BATCH); !hasEnded; ) {
        if ((await ledger.send(server.otlpUrl, ids)) === 200) ids = ledger.issue(BATCH);
        // A refused connection comes back at once.
        else await sleep(1);
      }
    });
    await sleep(random() * MAX_UPTIME_MILLIS);
    await end(server);
    hasEnded = true;
    await Promise.all(writers);
  }
  const server = await startServer(data, args);
  expect(ledger.acknowledged.size).toBeGreaterThan(rounds);
  await ledger.compare(server);
  if (segmentRecords !== undefined) {
    const status = await fetch(`${server.apiUrl}/api/v1/status`);
    const { segments } = (await status.json()) as { segments: unknown[] };
    expect(segments.length).toBeGreaterThan(1);
  }
  await server.stop();
  const faults: string[] = [];
  await checkStore(data, (check) => faults.push(...check.faults));
  expect(faults).toEqual([]);
}

function configFile(segmentRecords: number): string {
  const file = path.join(temporaryDirectory(), "agent-audit.yaml");
  fs.writeFileSync(file, `segments:\n  max_records: ${segmentRecords}\n`);
  return file;
}
