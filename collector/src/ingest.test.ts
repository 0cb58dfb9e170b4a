import fs from "node:fs";
import path from "node:path";
import { readLogsRequestJson, writeLogsRequest, writeLogsRequestJson } from "@agent-audit/otlp";
import { encodeIdentity, InlineIdentityWriter, SeenRecords } from "@agent-audit/store";
import { describe, expect, it } from "vitest";
import { requestOf, sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { JSON_TYPE, PROTOBUF, post, quarantined, stored } from "../../test/support/send-logs.js";
import { startReceiver } from "../../test/support/start-receiver.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { Ingest } from "./ingest.js";
import { NO_SENDER } from "./sender.js";

const MIB = 1024 * 1024;

const event = (action: string) => sampleEvent({ action });

describe("a record that arrives again", () => {
  const identified = (id: string, change = {}) => sampleEvent({ id, action: id, ...change });
  const streamed = (sequence: number, change = {}) =>
    sampleEvent({ action: `${sequence}`, stream: { id: "s", sequence }, ...change });
  const send = async ({ url }: { url: string }, ...events: ReturnType<typeof sampleEvent>[]) => {
    const answer = await post(url, PROTOBUF, sampleBody(...events));
    expect(answer.status).toBe(200);
    return answer.headers.get("Agent-Audit-Seq");
  };

  it("is stored once, by uid and by stream, whole requests and parts of them", async () => {
    const started = await startReceiver(temporaryDirectory());
    await send(started, identified("a"), streamed(1));
    expect(await send(started, identified("a"), streamed(1))).toBeNull();
    expect(await send(started, streamed(1), identified("b"), streamed(2), identified("b"))).toBe(
      "4",
    );
    expect(stored(started)).toEqual(["1:a", "2:1", "3:b", "4:2"]);
    expect(started.journal.counters).toMatchObject({
      received: 8,
      stored: 4,
      duplicates: 4,
      conflicts: 0,
      syncs: 2,
    });
  });

  it("is stored once after a crash, whether what was written down between is whole or not", () => {
    const data = temporaryDirectory();
    const options = {
      directory: data,
      storeId: "abcdefghij23",
      diskGuard: { minFreeBytes: 0, minFreePercent: 0 },
      maxQuarantineBytesPerDay: 0,
      identityBytes: 1000,
    };
    const body = (id: string) => ({
      blocks: [new Uint8Array(sampleBody(identified(id)))],
      encoding: "protobuf" as const,
      contentEncoding: "",
      maxBodyBytes: MIB,
      sender: NO_SENDER,
    });
    const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`);
    const storeAll = (ingest: Ingest) => {
      for (const id of ids) expect(ingest.store(body(id)).status).toBe("stored");
      ingest.startSync();
      return ingest.counters;
    };
    const files = () => fs.readdirSync(data).filter((name) => name.endsWith(".ids"));
    expect(storeAll(Ingest.open(options))).toMatchObject({ stored: 20, duplicates: 0 });
    // The one of the beginning, and the newest of those between.
    const [first, between, ...others] = files();
    expect(others).toEqual([]);
    expect(Number(first?.slice(0, 20))).toBe(1);
    expect(Number(between?.slice(0, 20))).toBeGreaterThan(10);
    expect(storeAll(Ingest.open(options))).toMatchObject({ stored: 0, duplicates: 20 });
    for (const name of files().slice(1)) fs.truncateSync(path.join(data, name), 100);
    expect(storeAll(Ingest.open(options))).toMatchObject({ stored: 0, duplicates: 20 });
  });

  it("is not taken for one that an identity file ahead of the journal knows", () => {
    const directory = temporaryDirectory();
    const ahead = encodeIdentity({ seen: new SeenRecords(), quarantined: null });
    new InlineIdentityWriter(directory).write({ firstSeq: 6n, isSynced: true, bytes: ahead });
    Ingest.open({
      directory,
      storeId: "abcdefghij23",
      diskGuard: { minFreeBytes: 0, minFreePercent: 0 },
      maxQuarantineBytesPerDay: 0,
      // The file must be gone before a record is taken, whatever the thread still does.
      identityWriter: { isBusy: true, write: () => {} },
    }).close();
    const files = fs.readdirSync(directory).filter((name) => name.endsWith(".ids"));
    expect(files.map((name) => Number(name.slice(0, 20)))).toEqual([1]);
  });

  it("is stored once in the other encoding too", async () => {
    const started = await startReceiver(temporaryDirectory());
    await send(started, identified("a"));
    const json = writeLogsRequestJson(requestOf(identified("a"), identified("b")));
    expect((await post(started.url, JSON_TYPE, json)).headers.get("Agent-Audit-Seq")).toBe("2");
    expect(stored(started)).toEqual(["1:a", "2:b"]);
  });

  it("is kept beside the first when its content differs", async () => {
    const started = await startReceiver(temporaryDirectory());
    await send(started, identified("a"), streamed(1));
    expect(
      await send(started, identified("a", { action: "other" }), streamed(1, { action: "x" })),
    ).toBe("4");
    expect(started.journal.counters.conflicts).toBe(2);
  });

  it("is stored once in each of its contents, in whatever order they are repeated", async () => {
    const started = await startReceiver(temporaryDirectory());
    for (const action of ["a", "a", "b", "a", "c", "b", "a", "c"]) {
      await send(started, identified("same", { action }), streamed(1, { action }));
    }
    expect(stored(started)).toEqual(["1:a", "2:a", "3:b", "4:b", "5:c", "6:c"]);
    expect(started.journal.counters.conflicts).toBe(4);
  });

  it("is stored once when its body is there but empty, in both encodings", async () => {
    const started = await startReceiver(temporaryDirectory());
    const uid = `"attributes":[{"key":"log.record.uid","value":{"stringValue":"e"}}]`;
    const json = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{},${uid}}]}]}]}`;
    const { request } = readLogsRequestJson(Buffer.from(json));
    expect((await post(started.url, PROTOBUF, writeLogsRequest(request))).status).toBe(200);
    expect((await post(started.url, JSON_TYPE, json)).status).toBe(200);
    expect(started.journal.counters).toMatchObject({ stored: 1, duplicates: 1 });
    expect(writeLogsRequestJson(request)).toMatch(`"body":{}`);
  });

  it("of another organisation is another record", async () => {
    const started = await startReceiver(temporaryDirectory());
    await send(started, identified("a", { org: { id: "org_1" } }), streamed(1));
    expect(
      await send(
        started,
        identified("a", { org: { id: "org_2" } }),
        streamed(1, { org: { id: "org_2" } }),
      ),
    ).toBe("4");
    expect(started.journal.counters.conflicts).toBe(0);
  });

  it("without an id is known by its whole request only", async () => {
    const started = await startReceiver(temporaryDirectory());
    expect(await send(started, event("a"), event("a"))).toBe("2");
    expect(await send(started, event("a"), event("a"))).toBeNull();
    expect(await send(started, event("a"))).toBe("3");
  });

  it("without an id is another event where the operator says so, and one with an id is not", async () => {
    const started = await startReceiver(temporaryDirectory(), { deduplicatesUnidentified: false });
    expect(await send(started, event("a"))).toBe("1");
    expect(await send(started, event("a"))).toBe("2");
    expect(await send(started, identified("b"))).toBe("3");
    expect(await send(started, identified("b"))).toBeNull();
  });

  it.each([
    ["with the identity file", () => {}],
    [
      "without it",
      (journal: string) => {
        for (const name of fs.readdirSync(journal)) {
          if (name.endsWith(".ids")) fs.rmSync(path.join(journal, name));
        }
      },
    ],
    [
      "with a damaged one",
      (journal: string) => {
        for (const name of fs.readdirSync(journal)) {
          if (name.endsWith(".ids"))
            fs.writeFileSync(path.join(journal, name), "AAIDENT1 nonsense");
        }
      },
    ],
  ])("is known after restarts %s, three times over", async (_, change) => {
    const data = temporaryDirectory();
    const day = Array.from({ length: 50 }, (_, i) => [
      identified(`u${i}`),
      streamed(i + 1),
      event(`p${i}`),
    ]);
    for (let pass = 0; pass < 3; pass++) {
      const started = await startReceiver(data);
      for (const events of day) await send(started, ...events);
      expect(started.store.position.syncedSeq).toBe(150n);
      await started.stop();
      change(path.join(data, "journal"));
    }
  });
});

describe("the disk guard", () => {
  it("answers 503 while the disk is nearly full, stores nothing then, and goes on by itself", async () => {
    const directory = temporaryDirectory();
    const { bavail, bsize } = fs.statfsSync(directory);
    const started = await startReceiver(path.join(directory, "data"), {
      minFreeBytes: bavail * bsize - 256 * MIB,
    });
    const send = (action: string) => post(started.url, PROTOBUF, sampleBody(event(action)));
    expect((await send("before")).status).toBe(200);
    const ballast = fs.openSync(path.join(directory, "ballast"), "w");
    let answer = await send("before");
    for (let i = 0; i < 32 && answer.status === 200; i++) {
      fs.writeSync(ballast, Buffer.alloc(32 * MIB));
      answer = await send("before");
    }
    expect(answer.status).toBe(503);
    expect(answer.headers.get("Retry-After")).toMatch(/^[23]$/);
    expect((await fetch(`${started.receiver.url}/healthz`)).status).toBe(200);
    const syncedSeq = started.store.position.syncedSeq;
    expect((await send("refused")).status).toBe(503);
    expect(started.store.position.syncedSeq).toBe(syncedSeq);
    fs.closeSync(ballast);
    fs.rmSync(path.join(directory, "ballast"));
    await expect.poll(async () => (await send("after")).status, { timeout: 50_000 }).toBe(200);
    expect(stored(started).some((text) => text.endsWith("refused"))).toBe(false);
    expect(started.receiver.answers.get(503)).toBeGreaterThan(1);
  });
});

describe("what is set aside", () => {
  const faulty = (text: string) => `{"body":{"stringValue":"${text}"},"severityText":{}}`;
  const bodyOf = (...records: string[]) =>
    `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${records.join(",")}]}]}]}`;

  it("is counted by reason, and repaired records apart from it", async () => {
    const started = await startReceiver(temporaryDirectory());
    const deep = `{"body":${`{"arrayValue":{"values":[`.repeat(129)}{}${"]}}".repeat(129)}}`;
    const repaired = `{"flags":99999999999,"eventName":"kept"}`;
    await post(started.url, JSON_TYPE, bodyOf(faulty("x"), deep, repaired, faulty("y")));
    expect(started.journal.counters).toMatchObject({
      stored: 1,
      repaired: 1,
      quarantined: { malformed_record: 2, nesting_too_deep: 1, server_fault: 0 },
    });
    expect([...started.receiver.answers]).toEqual([[200, 1]]);
  });

  it("is kept up to a number of bytes a day, over restarts; beyond it, its number is", async () => {
    const data = temporaryDirectory();
    const limits = { maxQuarantineBytesPerDay: 19_000 };
    const first = await startReceiver(data, limits);
    for (let i = 0; i < 3; i++) {
      await post(first.url, JSON_TYPE, bodyOf(faulty("x".repeat(3000)), faulty("y".repeat(3000))));
    }
    await first.stop();
    const second = await startReceiver(data, limits);
    const answer = await post(second.url, JSON_TYPE, bodyOf(faulty("z".repeat(3000)), "{}"));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ partialSuccess: { rejectedLogRecords: "1" } });
    await second.stop();
    const texts = quarantined(second).map(([, text]) => text);
    expect(texts.map((text) => text.length > 3000)).toEqual(new Array(6).fill(true));
    expect(second.journal.counters.quarantined.malformed_record).toBe(1);
  });
});
