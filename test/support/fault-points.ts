import { GroupCommit, Ingest, NO_SENDER } from "@agent-audit/collector";
import { sealableFiles, sealJournal, storeIdsOf } from "@agent-audit/store";
import { expect } from "vitest";
import { readJournalFiles } from "./independent-journal-reader.js";
import { idsOf, sampleBody, sampleEvent } from "./sample-logs.js";
import { seeded } from "./seeded.js";
import { type Fault, SimulatedDisk } from "./simulated-disk.js";
import { temporaryDirectory } from "./temporary-directory.js";

const DAY = 86_400_000_000_000n;
const TODAY = 20_000n * DAY;
/** Requests of one run, each with an id of its own and one that it shares with the request before. */
const REQUESTS = 12;

const FAULTS: Fault["kind"][] = ["kill", "EIO", "ENOSPC"];

/**
 * Lets each file operation of the journal and the store fail in turn, in every way, then starts again, and
 * lets the client repeat what it had no answer to. The oracle: every record is there exactly once.
 *
 * @param stride 1 for every operation, n for each nth
 * @returns how many points were tried
 */
export function faultPoints(seed: number, stride: number): number {
  let tried = 0;
  for (const kind of FAULTS) {
    for (const losesPower of [false, true]) {
      for (let atOperation = 1 + (seed % stride); ; atOperation += stride) {
        if (!survives({ kind, atOperation }, losesPower, seed + atOperation)) break;
        tried++;
      }
    }
  }
  return tried;
}

/** Gives `false` when the run was over before the fault. */
function survives(fault: Fault, losesPower: boolean, seed: number): boolean {
  const simulated = new SimulatedDisk(seeded(seed));
  const directory = temporaryDirectory();
  const acknowledged = new Set<number>();
  simulated.failAt(fault);
  let hasFailed = false;
  try {
    run(simulated, directory, acknowledged);
  } catch {
    hasFailed = true;
  }
  if (!hasFailed) return false;
  if (losesPower) simulated.losePower();
  else simulated.restart();
  simulated.failAt(null);
  run(simulated, directory, acknowledged);
  simulated.losePower();
  const stored = readJournalFiles(simulated.files().filter(({ name }) => name.includes("journal")))
    .flatMap(({ frames }) => frames)
    .filter(({ kind }) => kind === "records")
    .flatMap(({ payload }) => idsOf(payload));
  const what = `${fault.kind} at operation ${fault.atOperation}, power ${losesPower ? "lost" : "kept"}`;
  expect(stored.sort(), what).toEqual(
    Array.from({ length: REQUESTS + 1 }, (_, i) => `id-${100 + i}`),
  );
  return true;
}

/** Sends each request that has no answer yet, and the first one always; files are closed, days pass, older files are sealed. */
function run(simulated: SimulatedDisk, directory: string, acknowledged: Set<number>): void {
  const { disk } = simulated;
  let now = TODAY;
  const ingest = Ingest.open({
    directory,
    storeId: storeIdsOf({ root: directory }, disk)[0],
    diskGuard: { minFreeBytes: 0, minFreePercent: 0 },
    maxQuarantineBytesPerDay: 1_000_000,
    rotateBytes: 3000,
    now: () => now,
    disk,
  });
  const commit = new GroupCommit(ingest, (outcomes) => {
    for (const [i, outcome] of outcomes) {
      expect(outcome.status).toBe("stored");
      acknowledged.add(i);
    }
  });
  for (let i = 0; i < REQUESTS; i++) {
    if (acknowledged.has(i) && i > 0) continue;
    if (i === REQUESTS / 2) now += DAY;
    const body = sampleBody(...[i, i + 1].map((n) => sampleEvent({ id: `id-${100 + n}` })));
    commit.store(i, {
      blocks: [body],
      encoding: "protobuf",
      contentEncoding: "",
      maxBodyBytes: 1_000_000,
      sender: NO_SENDER,
    });
    // Two requests share a sync.
    if (i % 2 === 1) commit.sync();
  }
  for (const name of sealableFiles(directory, disk)) sealJournal(disk, directory, name);
  commit.close();
}
