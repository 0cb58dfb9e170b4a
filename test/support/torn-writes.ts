import {
  JournalReader,
  JournalWriter,
  type NewFrame,
  sealableFiles,
  sealJournal,
} from "@agent-audit/store";
import { expect } from "vitest";
import { type PageFrame, readJournalFiles } from "./independent-journal-reader.js";
import { sampleFrame } from "./sample-frame.js";
import { seeded } from "./seeded.js";
import { SimulatedDisk, SimulatedKill } from "./simulated-disk.js";

const DAY = 86_400_000_000_000n;
const DIRECTORY = "/journal";
const STORE_ID = "abcdefghij23";
const MAX_LIVES = 4;
const MAX_STEPS = 12;

/** What was sent to a journal, and what of it was synced. */
interface Sent {
  issued: Map<string, NewFrame>;
  acknowledged: { name: string; firstSeq: bigint }[];
}

/**
 * Lets a journal live several times on a disk that drops, tears and reorders what was not synced. The
 * oracle, by a reader of its own: what was synced is there, in place; what is there was sent, each once; the
 * sequences have no hole; each cut is reported, and nothing else is.
 *
 * @returns how many cuts there were
 */
export function tornWrites(seed: number): number {
  const random = seeded(seed);
  const below = (n: number) => Math.floor(random() * n);
  const simulated = new SimulatedDisk(random);
  const sent: Sent = { issued: new Map(), acknowledged: [] };
  let now = 20_000n * DAY;
  let cuts = 0;
  const lives = 1 + below(MAX_LIVES);
  for (let life = 0; life < lives; life++) {
    const kind = below(4) === 0 ? "EIO" : "kill";
    simulated.failAt({ atOperation: 1 + below(30), kind });
    try {
      live(simulated, sent, `${life}`, below, () => {
        if (below(6) === 0) now += DAY;
        return now;
      });
    } catch (error) {
      const isInjected =
        error instanceof SimulatedKill || /injected/.test((error as Error).message);
      if (!isInjected) throw error;
    }
    if (below(3) === 0) simulated.restart();
    else simulated.losePower();
    if (recoversWithCut(simulated, now)) cuts++;
    compare(simulated, sent);
    simulated.losePower();
    compare(simulated, sent);
  }
  return cuts;
}

function open(simulated: SimulatedDisk, now: bigint, rotateBytes: number): JournalWriter {
  const { disk } = simulated;
  return JournalWriter.open({
    directory: DIRECTORY,
    storeId: STORE_ID,
    now: () => now,
    rotateBytes,
    disk,
  });
}

function live(
  simulated: SimulatedDisk,
  sent: Sent,
  life: string,
  below: (n: number) => number,
  now: () => bigint,
): void {
  const journal = open(simulated, now(), 500 + below(3000));
  let unsynced: Sent["acknowledged"] = [];
  for (let step = 0; step < MAX_STEPS; step++) {
    for (let n = below(4); n > 0; n--) {
      const name = `${life}.${step}.${n}`;
      const isRecords = below(5) > 0;
      const frame = sampleFrame({
        kind: isRecords ? "records" : "quarantine",
        recordCount: isRecords ? 1 + below(3) : 0,
        receivedNano: now(),
        payload: Buffer.from(`${name} ${"x".repeat(below(4) === 0 ? below(2000) : below(60))}`),
      });
      sent.issued.set(name, frame);
      journal.rotateIfDue(frame.receivedNano);
      unsynced.push({ name, firstSeq: journal.append(frame) });
    }
    if (below(3) > 0) {
      journal.sync();
      sent.acknowledged.push(...unsynced);
      unsynced = [];
    }
    if (below(8) === 0) {
      const { disk } = simulated;
      for (const name of sealableFiles(DIRECTORY, disk)) sealJournal(disk, DIRECTORY, name);
    }
  }
}

/** Starts once more without a fault, and checks what the start reports of the newest file. */
function recoversWithCut(simulated: SimulatedDisk, now: bigint): boolean {
  const newest = readJournalFiles(simulated.files()).at(-1);
  const journal = open(simulated, now, 10_000);
  const isCut = newest !== undefined && newest.end < newest.plainBytes;
  expect(journal.cut === null ? null : journal.cut.offset).toBe(isCut ? newest.end : null);
  journal.close();
  return isCut;
}

function compare(simulated: SimulatedDisk, sent: Sent): void {
  const frames = readJournalFiles(simulated.files()).flatMap((file) => {
    expect(file.end, `${file.name} ends with a good frame`).toBe(file.plainBytes);
    return file.frames;
  });
  const stored = new Map<string, PageFrame>();
  let nextSeq = 1n;
  for (const frame of frames) {
    const name = nameOf(frame.payload);
    expect(stored.has(name), `${name} is stored once`).toBe(false);
    stored.set(name, frame);
    const issued = sent.issued.get(name);
    expect(issued?.recordCount).toBe(frame.recordCount);
    expect(frame.payload.equals(issued?.payload as Buffer), `${name} is what was sent`).toBe(true);
    expect(frame.firstSeq, "the sequences have no hole").toBe(nextSeq);
    nextSeq += BigInt(frame.recordCount);
  }
  for (const { name, firstSeq } of sent.acknowledged) {
    expect(stored.get(name)?.firstSeq, `${name} was acknowledged`).toBe(firstSeq);
  }
  expect(readByProduct(simulated, nextSeq - 1n)).toEqual(
    frames.filter(({ kind }) => kind === "records").map(({ payload }) => nameOf(payload)),
  );
}

function readByProduct(simulated: SimulatedDisk, syncedSeq: bigint): string[] {
  const reader = new JournalReader(DIRECTORY, 1n, simulated.disk);
  const names: string[] = [];
  for (let next = reader.next(syncedSeq); next !== null; next = reader.next(syncedSeq)) {
    names.push(nameOf(Buffer.from(next.frame.payload)));
  }
  reader.close();
  return names;
}

const nameOf = (payload: Buffer) => payload.toString().split(" ")[0] as string;
