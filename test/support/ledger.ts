import { type LogRecord, logRecordJson, readLogsRequestJson } from "@agent-audit/otlp";
import { ATTR_LOG_RECORD_UID, toLogRecord } from "@agent-audit/schema";
import { expect } from "vitest";
import { sampleBody, sampleEvent } from "./sample-logs.js";

/** Liveness: the promise is 10 s. */
const FRESH_MILLIS = 5 * 10_000;
/** From one event to the next: those of a soak, 2,000 a second, are as old as they say. */
const STEP_NANOS = 500_000n;
const ID_PREFIX = "id-";

/** The server as the ledger sees it. */
interface Server {
  otlpUrl: string;
  apiUrl: string;
}

/**
 * The oracle of all fault tests. It sends events that follow from their ids, remembers which were issued and
 * which acknowledged, and compares that with what a server has: acknowledged is a subset of stored, stored of
 * issued, each exactly once and with its content, in the journal and in the engine; a fresh event is accepted.
 */
export class Ledger {
  readonly acknowledged = new Set<string>();
  /** Of the first event, ns since 1970 UTC. */
  readonly #beginNano = BigInt(Date.now()) * 1_000_000n;
  readonly #issued = new Set<string>();
  readonly #text: string;
  #next = 0;

  /** @param textBytes size that each event gets on top */
  constructor(textBytes = 0) {
    this.#text = "x".repeat(textBytes);
  }

  /** Makes ids that were not used yet. */
  issue(count: number): string[] {
    const ids = Array.from({ length: count }, () => `${ID_PREFIX}${this.#next++}`);
    for (const id of ids) this.#issued.add(id);
    return ids;
  }

  /** Sends events once; gives the status, 0 when the connection broke. */
  async send(url: string, ids: readonly string[]): Promise<number> {
    const status = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/x-protobuf" },
      body: new Uint8Array(sampleBody(...ids.map((id) => this.#eventOf(id)))),
    }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) for (const id of ids) this.acknowledged.add(id);
    return status;
  }

  /** Compares with what the server has. */
  async compare(server: Server): Promise<void> {
    await this.compareWith(server, this.acknowledged);
  }

  /** As {@link compare}, with a server that need only have some of what was acknowledged, such as a backup. */
  async compareWith(server: Server, expected: Iterable<string>): Promise<void> {
    const fresh = this.issue(1);
    const accept = () => this.send(server.otlpUrl, fresh);
    await expect.poll(accept, { timeout: FRESH_MILLIS, interval: 50 }).toBe(200);
    const stored = new Set<string>();
    for (const record of await exportedRecords(server.apiUrl)) {
      const id = idOf(record);
      expect(stored.has(id), `${id} is stored once`).toBe(false);
      stored.add(id);
      expect(this.#issued.has(id), `${id} was issued`).toBe(true);
      expect(logRecordJson(record)).toBe(logRecordJson(toLogRecord(this.#eventOf(id))));
    }
    const lost = [...expected, ...fresh].filter((id) => !stored.has(id));
    expect(lost, "acknowledged but not stored").toEqual([]);
    expect(await visibleEvents(server.apiUrl, stored.size), "events that queries see").toBe(
      stored.size,
    );
  }

  #eventOf(id: string) {
    // With a description: a Collector gives a record without a body an empty one.
    const about = { description: `what ${id} did`, metadata: { text: this.#text } };
    const time = this.#beginNano + BigInt(id.slice(ID_PREFIX.length)) * STEP_NANOS;
    return sampleEvent({ id, time, action: `action of ${id}`, ...about });
  }
}

/** Counts what queries see, once older segments that a crash has left behind are made up. */
export async function visibleEvents(apiUrl: string, minSeq = 0): Promise<number> {
  const ask = async () => await fetch(`${apiUrl}/api/v1/facets?min_seq=${minSeq}`);
  let response = await ask();
  await expect
    .poll(
      async () => {
        if (response.status === 503) response = await ask();
        return response.status;
      },
      { timeout: FRESH_MILLIS },
    )
    .toBe(200);
  return ((await response.json()) as { total: number }).total;
}

/** Reads all records of the journal, in order of their sequences. */
export async function exportedRecords(apiUrl: string): Promise<LogRecord[]> {
  const response = await fetch(`${apiUrl}/api/v1/export?format=otlp&after_seq=0`);
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  return lines
    .flatMap((line) => readLogsRequestJson(Buffer.from(line)).request.resourceLogs)
    .flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
}

export function idOf({ attributes }: LogRecord): string {
  return String(attributes.find(({ key }) => key === ATTR_LOG_RECORD_UID)?.value);
}
