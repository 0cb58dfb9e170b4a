import http from "node:http";
import zlib from "node:zlib";
import { addKey, KeyRing, keyFile, makeKey } from "@agent-audit/access";
import { writeLogsRequestJson } from "@agent-audit/otlp";
import { beforeAll, describe, expect, it } from "vitest";
import { answerTo } from "../../test/support/answer-to.js";
import { requestOf, sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { JSON_TYPE, PROTOBUF, post, quarantined, stored } from "../../test/support/send-logs.js";
import { startReceiver } from "../../test/support/start-receiver.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { Receiver } from "./receiver.js";

const event = (action: string) => sampleEvent({ action });

/** Wraps a message into a field of another; its length takes five bytes. */
function protobufMessage(content: Buffer, tag: number): Buffer {
  const head = Buffer.from([tag, 0x80, 0x80, 0x80, 0x80, 0]);
  for (let i = 0; i < 5; i++)
    head[i + 1] = (head[i + 1] as number) | ((content.length >>> (7 * i)) & 0x7f);
  return Buffer.concat([head, content]);
}

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
    expect(quarantined(started)).toEqual([["an AnyValue is no object", '{"body":7}']]);
  });

  let limited: Awaited<ReturnType<typeof startReceiver>>;
  let accepted = 0;
  beforeAll(async () => {
    limited = await startReceiver(temporaryDirectory(), { maxBodyBytes: 65_536 });
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
    const answer = await post(limited.url, headers as unknown as Record<string, string>, body);
    expect(answer.status).toBe(status);
    const text = await answer.text();
    expect(text).toMatch(message);
    expect(text.length).toBeLessThan(2048);
    if (status === 415) expect(answer.headers.get("Accept-Encoding")).toContain("gzip");
    accepted++;
    const after = await post(limited.url, PROTOBUF, sampleBody(event(`after ${accepted}`)));
    expect(after.headers.get("Agent-Audit-Seq")).toBe(String(accepted));
  });

  it.each([
    ["records", [0x0a, 0x12], "1200", 262_145],
    ["groups", [], "0a00", 2_097_153],
    ["attributes", [0x0a, 0x12, 0x12], "3200", 2_097_153],
    ["list values", [0x0a, 0x12, 0x12, 0x2a, 0x2a], "0a00", 2_097_153],
  ])("refuses more %s than one request may hold", async (what, tags, element, count) => {
    const started = await startReceiver(temporaryDirectory());
    const elements = Buffer.alloc(2 * count, Buffer.from(element, "hex"));
    const body = tags.reduceRight(protobufMessage, elements);
    const answer = await post(started.url, PROTOBUF, body);
    expect([answer.status, await answer.text()]).toEqual([
      413,
      expect.stringMatching(new RegExp(`more than ${count - 1} .*${what}`)),
    ]);
    const [before, after] = {
      records: ['{"scopeLogs":[{"logRecords":[', "]}]}"],
      groups: ["", ""],
      attributes: ['{"scopeLogs":[{"logRecords":[{"attributes":[', "]}]}]}"],
      "list values": ['{"scopeLogs":[{"logRecords":[{"body":{"arrayValue":{"values":[', "]}}}]}]}"],
    }[what] as [string, string];
    const json = `{"resourceLogs":[${before}${"{},".repeat(count - 1)}{}${after}]}`;
    expect((await post(started.url, JSON_TYPE, json)).status).toBe(413);
    expect(started.store.position.syncedSeq).toBe(0n);
  });

  it("answers in less than 2 KiB whatever a record's name holds", async () => {
    const started = await startReceiver(temporaryDirectory());
    const eventName = `agent_audit.server.${"\\u0001".repeat(1000)}`;
    const json = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"${eventName}"}]}]}]}`;
    const answer = await post(started.url, JSON_TYPE, json);
    const text = await answer.text();
    expect(JSON.parse(text).partialSuccess.rejectedLogRecords).toBe("1");
    expect(Buffer.byteLength(text)).toBeLessThan(2048);
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
      keys: new KeyRing(keyFile(temporaryDirectory())),
      trustsLoopback: true,
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

  describe("to a body that still arrives", () => {
    const body = Buffer.alloc(8 * 1024 * 1024);
    let open: string;
    let keyed: string;
    let readKey: string;
    beforeAll(async () => {
      open = (await startReceiver(temporaryDirectory(), { maxBodyBytes: 65_536 })).url;
      const directory = temporaryDirectory();
      const { key, text } = makeKey({ scope: "read" }, new Date());
      addKey(keyFile(directory), key);
      readKey = text;
      keyed = (await startReceiver(directory)).url;
    });

    it.each([
      ["413", () => answersOf(open)],
      ["401", () => answersOf(keyed)],
      ["403", () => answersOf(keyed, { Authorization: `Bearer ${readKey}` })],
    ])("answers %s so that it arrives, and closes the connection", async (status, answers) => {
      for (const answer of await answers()) {
        expect(answer).toContain(`HTTP/1.1 ${status} `);
        expect(answer).toMatch(/\r\nConnection: close\r\n/i);
      }
    });

    async function answersOf(url: string, headers: Record<string, string> = {}) {
      const answers: string[] = [];
      for (const isChunked of [false, true, false, true]) {
        for (const readsLate of [false, true]) {
          answers.push(await answerTo(url, body, { headers, isChunked, readsLate }));
        }
      }
      return answers;
    }
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
