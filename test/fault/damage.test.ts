import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { JournalWriter, Store } from "@agent-audit/store";
import { checkStore } from "@agent-audit/store/check";
import { describe, expect, it } from "vitest";
import { Ledger } from "../support/ledger.js";
import { sampleFrame } from "../support/sample-frame.js";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { faultShare, runSeed, seeded } from "../support/seeded.js";
import { startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const HARMS = faultShare(200);
const KILL_EVERY = 5;
const WRITERS = 2;
const BATCH = 5;
const SEGMENT_RECORDS = 150;
const REBUILT_RECORDS = faultShare(1_000_000);
/** The promise is 60 s for a million; liveness is asserted at five times that. */
const REBUILD_MILLIS = 5 * 60_000;

type Harm = (file: string, random: () => number, older: string) => void;

/** What can happen to a file, in operation or not. */
const harms: Record<string, Harm> = {
  deleted: (file) => fs.rmSync(file, { force: true }),
  cut: (file, random) => fs.truncateSync(file, Math.floor(fs.statSync(file).size * random())),
  flipped: (file, random) => {
    const bytes = fs.readFileSync(file);
    for (let i = 0; i < 20 && bytes.length > 0; i++) {
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
    }
    const fd = fs.openSync(file, "r+");
    fs.writeSync(fd, bytes, 0, bytes.length, 0);
    fs.closeSync(fd);
  },
  zeroed: (file, random) => {
    const size = fs.statSync(file).size;
    const from = Math.floor(size * random());
    const fd = fs.openSync(file, "r+");
    fs.writeSync(fd, Buffer.alloc(Math.min(size - from, 300_000)), 0, undefined, from);
    fs.closeSync(fd);
  },
  "swapped for an older copy": (file, _, older) => {
    const copy = path.join(older, path.basename(file));
    if (!fs.existsSync(copy)) return;
    fs.cpSync(copy, `${file}.swap`);
    fs.renameSync(`${file}.swap`, file);
  },
  "swapped for another file": (file, random) => {
    const directory = path.dirname(file);
    const names = fs.readdirSync(directory);
    const other = names[Math.floor(random() * names.length)] as string;
    fs.cpSync(path.join(directory, other), `${file}.swap`);
    fs.renameSync(`${file}.swap`, file);
  },
};

/** Reads every column of every event, waiting for what is made again. */
async function readAll(apiUrl: string): Promise<number> {
  let count = 0;
  for (let afterSeq = 0; ; ) {
    const route = `events?order=seq&limit=200&system=true&fields=content&after_seq=${afterSeq}`;
    const response = await fetch(`${apiUrl}/api/v1/${route}`);
    const body = (await response.json()) as { events: { seq: number }[]; error?: { code: string } };
    if (response.status === 503) {
      await sleep(100);
      continue;
    }
    expect(response.status, JSON.stringify(body)).toBe(200);
    if (body.events.length === 0) return count;
    count += body.events.length;
    afterSeq = body.events.at(-1)?.seq as number;
  }
}

describe("P4: a damaged DuckDB file loses nothing", () => {
  it(`in ${HARMS} harms to files of open and sealed segments, under load`, async () => {
    const seed = runSeed();
    console.log(`${HARMS} harms, seed ${seed}`);
    const random = seeded(seed);
    const data = temporaryDirectory();
    const older = temporaryDirectory();
    const events = path.join(data, "events");
    const config = path.join(older, "agent-audit.yaml");
    fs.writeFileSync(config, `segments:\n  max_records: ${SEGMENT_RECORDS}\n`);
    const ledger = new Ledger();
    let server = await startServer(data, ["--config", config]);
    let isDone = false;
    const writers = Array.from({ length: WRITERS }, async () => {
      for (let ids = ledger.issue(BATCH); !isDone; await sleep(20)) {
        if ((await ledger.send(server.otlpUrl, ids)) === 200) ids = ledger.issue(BATCH);
      }
    });
    const counts: Record<string, number> = {};
    for (let harm = 0; harm < HARMS; harm++) {
      await sleep(random() * 300);
      const names = fs.readdirSync(events).filter((name) => /\.duckdb(\.wal)?$/.test(name));
      const name = names[Math.floor(random() * names.length)];
      const kinds = Object.keys(harms);
      const kind = kinds[Math.floor(random() * kinds.length)] as string;
      if (name === undefined) continue;
      const file = path.join(events, name);
      try {
        if (random() < 0.3) fs.cpSync(file, path.join(older, name));
        harms[kind]?.(file, random, older);
        counts[kind] = (counts[kind] ?? 0) + 1;
      } catch (error) {
        // The engine has moved it meanwhile.
        expect((error as NodeJS.ErrnoException).code).toBe("ENOENT");
      }
      if (harm % KILL_EVERY === KILL_EVERY - 1) {
        await server.kill();
        server = await startServer(data, ["--config", config]);
        expect(server.apiUrl, server.log()).not.toBe("");
      } else await fetch(`${server.apiUrl}/api/v1/facets`).catch(() => {});
    }
    isDone = true;
    await Promise.all(writers);
    console.log(JSON.stringify(counts));
    await readAll(server.apiUrl);
    expect(await server.stop()).toBe(0);
    server = await startServer(data, ["--config", config]);
    await readAll(server.apiUrl);
    await ledger.compare(server);
    await server.stop();
    const faults: string[] = [];
    await checkStore(data, (check) => faults.push(...check.faults));
    expect(faults).toEqual([]);
  });

  it(`makes ${REBUILT_RECORDS} events again, while another segment answers`, async () => {
    const data = temporaryDirectory();
    const store = await Store.open({ data, onFatal: () => {} });
    const yesterday = BigInt(Date.now() - 86_400_000) * 1_000_000n;
    let now = yesterday;
    const { storeId, directory } = store;
    const journal = JournalWriter.open({ directory: directory.journal, storeId, now: () => now });
    const write = (count: number, action: string) => {
      for (let left = count; left > 0; left -= 1000) {
        const recordCount = Math.min(1000, left);
        const time = now + BigInt(left) * 1000n;
        const records = Array.from({ length: recordCount }, () => sampleEvent({ time, action }));
        journal.rotateIfDue(now);
        journal.append(
          sampleFrame({ recordCount, receivedNano: now, payload: sampleBody(...records) }),
        );
      }
    };
    write(REBUILT_RECORDS, "of yesterday");
    now += 86_400_000_000_000n;
    write(10, "of today");
    journal.close();
    await store.close();
    const first = await startServer(data);
    const states = async () => {
      const response = await fetch(`${first.apiUrl}/api/v1/status`);
      const { segments } = (await response.json()) as { segments: { state: string }[] };
      return segments.map(({ state }) => state);
    };
    await expect
      .poll(states, { timeout: REBUILD_MILLIS, interval: 200 })
      .toEqual(["sealed", "open"]);
    await first.stop();
    const [oldest] = fs.readdirSync(path.join(data, "events")).sort();
    fs.rmSync(path.join(data, "events", oldest as string));
    const server = await startServer(data);
    const ask = async (route: string) => await fetch(`${server.apiUrl}/api/v1/${route}`);
    const begin = performance.now();
    const today = await ask("events?last=2h&limit=20");
    expect(((await today.json()) as { events: unknown[] }).events.length).toBe(10);
    const count = async () => {
      const response = await ask("aggregate?by=action");
      return ((await response.json()) as { total?: { count: number } }).total?.count;
    };
    await expect.poll(count, { timeout: REBUILD_MILLIS, interval: 200 }).toBe(REBUILT_RECORDS + 10);
    const seconds = (performance.now() - begin) / 1000;
    console.log(`${REBUILT_RECORDS} events made again in ${seconds.toFixed(1)} s`);
    await server.stop();
  });
});
