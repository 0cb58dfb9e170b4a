import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import zlib from "node:zlib";
import {
  readLogsRequest,
  readLogsRequestJson,
  writeLogsRequest,
  writeLogsRequestJson,
} from "@agent-audit/otlp";
import { decodeQuarantine, JournalReader } from "@agent-audit/store";
import { describe, expect, it } from "vitest";
import { readJournalFiles } from "../../test/support/independent-journal-reader.js";
import { requestOf, sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startReceiver } from "../../test/support/start-receiver.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { Receiver } from "./receiver.js";

const PROTOBUF = { "Content-Type": "application/x-protobuf" };
const JSON_TYPE = { "Content-Type": "application/json" };

const post = (url: string, headers: Record<string, string>, body: Uint8Array | string) =>
  fetch(url, { method: "POST", headers, body: body as string });

type Started = Awaited<ReturnType<typeof startReceiver>>;

/** Reads what the journal holds, as `seq:action`. */
const stored = ({ store }: Started) => {
  const reader = new JournalReader(store.directory.journal, 1n);
  const actions: string[] = [];
  for (let next = reader.next(store.position.syncedSeq); next !== null; ) {
    let seq = next.frame.firstSeq;
    for (const group of readLogsRequest(next.frame.payload).resourceLogs) {
      for (const record of group.scopeLogs.flatMap(({ logRecords }) => logRecords)) {
        const action = record.attributes.find(({ key }) => key === "agent_audit.action.name");
        actions.push(`${seq++}:${String(action?.value)}`);
      }
    }
    next = reader.next(store.position.syncedSeq);
  }
  reader.close();
  return actions;
};

/** Reads what was set aside, in order. */
const quarantined = ({ store }: Pick<Started, "store">) =>
  readJournalFiles(
    fs.readdirSync(store.directory.journal).map((name) => ({
      name,
      bytes: fs.readFileSync(path.join(store.directory.journal, name)),
    })),
  )
    .flatMap(({ frames }) => frames)
    .filter(({ kind }) => kind === "quarantine")
    .map(({ payload }) => decodeQuarantine(payload));

const MIB = 1024 * 1024;

const event = (action: string) => sampleEvent({ action });

describe("POST /v1/logs", () => {
  it("stores protobuf and JSON alike, in every coding, and answers in the request's encoding", async () => {
    const started = await startReceiver(temporaryDirectory());
    const protobuf = (...actions: string[]) => sampleBody(...actions.map(event));
    const json = (action: string) => Buffer.from(writeLogsRequestJson(requestOf(event(action))));
    const [gzip, deflate] = [{ "Content-Encoding": "gzip" }, { "Content-Encoding": "DEFLATE" }];
    const last = protobuf("g", "h");
    const members = [zlib.gzipSync(last.subarray(0, 9)), zlib.gzipSync(last.subarray(9))];
    const answers = [
      await post(started.url, PROTOBUF, protobuf("a", "b")),
      await post(started.url, { ...PROTOBUF, ...gzip }, zlib.gzipSync(protobuf("c", "d"))),
      await post(started.url, { ...JSON_TYPE, ...deflate }, zlib.deflateSync(json("e"))),
      await post(started.url, { "Content-Type": "Application/JSON; charset=utf-8" }, json("f")),
      await post(
        started.url,
        { ...PROTOBUF, "Content-Encoding": "x-gzip" },
        Buffer.concat(members),
      ),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(answers.map(({ headers }) => headers.get("Agent-Audit-Seq"))).toEqual([
      "2",
      "4",
      "5",
      "6",
      "8",
    ]);
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual([
      "",
      "",
      "{}",
      "{}",
      "",
    ]);
    expect(answers[2]?.headers.get("Content-Type")).toBe("application/json");
    expect(stored(started)).toEqual("abcdefgh".split("").map((action, i) => `${i + 1}:${action}`));
  });

  it("takes chunked bodies without a length", async () => {
    const started = await startReceiver(temporaryDirectory());
    const status = await new Promise((resolve) => {
      const request = http.request(started.url, { method: "POST", headers: PROTOBUF }, (response) =>
        resolve(response.resume().statusCode),
      );
      const body = sampleBody(event("a"));
      request.write(body.subarray(0, 10));
      setTimeout(() => request.end(body.subarray(10)), 20);
    });
    expect(status).toBe(200);
    expect(stored(started)).toEqual(["1:a"]);
  });

  it("sets one bad record of ten aside and stores the nine", async () => {
    const started = await startReceiver(temporaryDirectory());
    const request = JSON.parse(
      writeLogsRequestJson(requestOf(...Array.from({ length: 10 }, (_, i) => event(`e${i}`)))),
    );
    request.resourceLogs[0].scopeLogs[0].logRecords[4].attributes = "none";
    const answer = await post(started.url, JSON_TYPE, JSON.stringify(request));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      partialSuccess: {
        rejectedLogRecords: "1",
        errorMessage: "1 records were set aside, the first because: attributes is no array",
      },
    });
    expect(stored(started).map((entry) => entry.split(":")[1])).toEqual([
      "e0",
      "e1",
      "e2",
      "e3",
      "e5",
      "e6",
      "e7",
      "e8",
      "e9",
    ]);
  });

  it("keeps what it set aside, bytes and reason, in the journal", async () => {
    const started = await startReceiver(temporaryDirectory());
    await post(
      started.url,
      JSON_TYPE,
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":7}]}]}]}',
    );
    const file = `${started.store.directory.journal}/${"1".padStart(20, "0")}.journal`;
    const bytes = fs.readFileSync(file);
    const payload = bytes.subarray(bytes.indexOf("AAFR") + 64, -4);
    const { reason, bytes: aside } = decodeQuarantine(payload);
    expect(reason).toBe("an AnyValue is no object");
    expect(Buffer.from(aside).toString()).toBe('{"body":7}');
  });

  it.each([
    ["a body that is no protobuf", PROTOBUF, Buffer.from("hello"), 400, /offset/],
    ["a body that is no JSON", JSON_TYPE, "{", 400, /malformed|expected/],
    [
      "a body that is no gzip",
      { ...PROTOBUF, "Content-Encoding": "gzip" },
      Buffer.from("x"),
      400,
      /not valid gzip/,
    ],
    [
      "a coding that it does not know",
      { ...PROTOBUF, "Content-Encoding": "br" },
      Buffer.from("x"),
      415,
      /br is not supported/,
    ],
    [
      "stacked codings",
      { ...PROTOBUF, "Content-Encoding": "gzip, gzip" },
      Buffer.from("x"),
      415,
      /not supported/,
    ],
    ["another media type", { "Content-Type": "text/plain" }, "x", 415, /Content-Type must be/],
    ["a large body", PROTOBUF, Buffer.alloc(70_000), 413, /more than 65536 bytes/],
    [
      "a bomb",
      { ...PROTOBUF, "Content-Encoding": "gzip" },
      zlib.gzipSync(Buffer.alloc(10_000_000)),
      413,
      /decompressed body/,
    ],
  ])("refuses %s", async (_, headers, body, status, message) => {
    const started = await startReceiver(temporaryDirectory(), { maxBodyBytes: 65_536 });
    const answer = await post(started.url, headers as unknown as Record<string, string>, body);
    expect(answer.status).toBe(status);
    const text = await answer.text();
    expect(text).toMatch(message);
    expect(text.length).toBeLessThan(2048);
    if (status === 415) expect(answer.headers.get("Accept-Encoding")).toContain("gzip");
    const after = await post(started.url, PROTOBUF, sampleBody(event("after")));
    expect(after.headers.get("Agent-Audit-Seq")).toBe("1");
  });

  it("refuses more records than one request may hold", async () => {
    const started = await startReceiver(temporaryDirectory());
    const records = Buffer.alloc(2 * 262_145, Buffer.from("1200", "hex"));
    const message = (content: Buffer, tag: number) => {
      const head = Buffer.alloc(6);
      head.writeUInt8(tag, 0);
      let length = content.length;
      for (let i = 1; i <= 4; i++, length >>>= 7) head.writeUInt8((length & 0x7f) | 0x80, i);
      head.writeUInt8(length & 0x7f, 5);
      return Buffer.concat([head, content]);
    };
    const body = message(message(records, 0x12), 0x0a);
    const answer = await post(started.url, PROTOBUF, body);
    expect([answer.status, await answer.text()]).toEqual([
      413,
      expect.stringMatching(/more than 262144 records/),
    ]);
    const json = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${"{},".repeat(262_144)}{}]}]}]}`;
    expect((await post(started.url, JSON_TYPE, json)).status).toBe(413);
  });

  it("answers a request without records and stores nothing", async () => {
    const started = await startReceiver(temporaryDirectory());
    for (const [headers, body] of [
      [PROTOBUF, ""],
      [JSON_TYPE, "{}"],
    ] as const) {
      const answer = await post(started.url, headers, body);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("Agent-Audit-Seq")).toBeNull();
    }
    expect(started.store.position.syncedSeq).toBe(0n);
  });

  it("knows one path and one method", async () => {
    const started = await startReceiver(temporaryDirectory());
    const get = await fetch(started.url);
    expect([get.status, get.headers.get("Allow")]).toEqual([405, "POST"]);
    expect((await post(`${started.url}/`, PROTOBUF, "")).status).toBe(404);
    expect((await post(`${started.url}?x=1`, PROTOBUF, "")).status).toBe(200);
    expect((await fetch(started.url.replace("/v1/logs", "/readyz"))).status).toBe(200);
  });

  it("refuses a foreign Host", async () => {
    const { url } = await startReceiver(temporaryDirectory());
    const status = await new Promise((resolve) => {
      const headers = { ...PROTOBUF, Host: "evil.example" };
      http
        .request(url, { method: "POST", headers }, (response) =>
          resolve(response.resume().statusCode),
        )
        .end();
    });
    expect(status).toBe(403);
  });

  it("answers 503 before the journal is recovered and while it drains", async () => {
    const receiver = await Receiver.listen({
      address: { host: "127.0.0.1", port: 0 },
      maxBodyBytes: 1000,
    });
    const early = await post(`${receiver.url}/v1/logs`, PROTOBUF, "");
    expect(early.status).toBe(503);
    expect(["2", "3"]).toContain(early.headers.get("Retry-After"));
    await receiver.drain();
    const late = await post(`${receiver.url}/v1/logs`, PROTOBUF, "");
    expect([late.status, late.headers.get("Connection")]).toEqual([503, "close"]);
    await receiver.close();
  });

  it("stores nothing of a body whose client went away", async () => {
    const started = await startReceiver(temporaryDirectory());
    await new Promise<void>((resolve) => {
      const request = http.request(started.url, { method: "POST", headers: PROTOBUF });
      request.on("error", () => resolve());
      request.write(sampleBody(event("a")));
      setTimeout(() => request.destroy(), 30);
    });
    const after = await post(started.url, PROTOBUF, sampleBody(event("b")));
    expect(after.headers.get("Agent-Audit-Seq")).toBe("1");
    expect(stored(started)).toEqual(["1:b"]);
  });
});

describe("a record that arrives again", () => {
  const identified = (id: string, change = {}) => sampleEvent({ id, action: id, ...change });
  const streamed = (sequence: number, change = {}) =>
    sampleEvent({ action: `${sequence}`, stream: { id: "s", sequence }, ...change });
  const send = async ({ url }: Started, ...events: ReturnType<typeof sampleEvent>[]) => {
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
    const reasons = quarantined(second).map(({ reason, bytes }) => [reason, bytes.length]);
    expect(reasons.filter(([, bytes]) => (bytes as number) > 3000).length).toBe(6);
    expect(reasons.length).toBe(6);
    expect(second.journal.counters.quarantined.malformed_record).toBe(1);
  });
});
