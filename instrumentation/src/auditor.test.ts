import http from "node:http";
import type { AddressInfo } from "node:net";
import { trace } from "@opentelemetry/api";
import type { LogRecord } from "@opentelemetry/api-logs";
import { describe, expect, it } from "vitest";
import { createAuditor } from "./auditor.js";

const auditorWithLog = (options = {}) => {
  const records: LogRecord[] = [];
  const auditor = createAuditor({
    agent: { id: "agt_1", name: "build-bot" },
    org: "org_1",
    ...options,
    logger: { emit: (record: LogRecord) => records.push(record) },
  });
  return { auditor, records, attributes: (i: number) => records[i]?.attributes ?? {} };
};

const shell = { source: "shell", actionType: "shell_exec" } as const;

describe("Auditor", () => {
  it("numbers what it records from 1 without holes, and gives each event an id", () => {
    const { auditor, records, attributes } = auditorWithLog();
    auditor.record(shell);
    auditor.record({ ...shell, source: "fax" as never });
    auditor.record({ ...shell, result: "failure" });
    auditor.record(shell);
    expect(records.length).toBe(2);
    expect([0, 1].map((i) => attributes(i)["agent_audit.stream.sequence"])).toEqual([1, 2]);
    expect(attributes(0)["agent_audit.stream.id"]).toBe(auditor.streamId);
    expect(attributes(0)["log.record.uid"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(auditor.counters).toEqual({ recorded: 2, invalid: 2, failed: 0 });
  });

  it("fills in identity, times and description", () => {
    const { auditor, records, attributes } = auditorWithLog();
    auditor.record({
      ...shell,
      resource: { type: "process", id: "npm" },
      durationMillis: 1.5,
      time: 5n,
    });
    expect(records[0]).toMatchObject({
      eventName: "agent_audit.shell.command",
      severityNumber: 9,
      timestamp: [0, 5],
      body: "build-bot: shell_exec on process npm -> success",
    });
    expect(attributes(0)).toMatchObject({
      "agent_audit.actor.type": "agent",
      "agent_audit.actor.id": "agt_1",
      "gen_ai.agent.name": "build-bot",
      "agent_audit.org.id": "org_1",
      "agent_audit.duration": 0.0015,
    });
  });

  it("changes identity for a call and all that it starts", async () => {
    const { auditor, attributes } = auditorWithLog();
    await auditor.with({ user: { id: "u_1" }, conversationId: "c" }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      auditor.record(shell);
    });
    auditor.record(shell);
    expect(attributes(0)).toMatchObject({
      "user.id": "u_1",
      "gen_ai.agent.id": "agt_1",
      "gen_ai.conversation.id": "c",
    });
    expect(attributes(1)["user.id"]).toBeUndefined();
  });

  it("measures what start() begins and records it once", async () => {
    const { auditor, attributes, records } = auditorWithLog();
    const action = auditor.start(shell);
    await new Promise((resolve) => setTimeout(resolve, 20));
    action.end({ result: "error", errorType: "timeout" });
    action.end();
    expect(records.length).toBe(1);
    expect(attributes(0)["agent_audit.duration"]).toBeGreaterThan(0.01);
    expect(attributes(0)["error.type"]).toBe("timeout");
  });

  it("takes the trace of a proxied request", () => {
    const { auditor, records } = auditorWithLog();
    auditor.record({
      ...shell,
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    const context = records[0]?.context;
    expect(context && trace.getSpanContext(context)?.spanId).toBe("b7ad6b7169203331");
  });

  it.each([
    ["no input", undefined],
    ["a number", 7],
    ["an object without fields", {}],
    [
      "values that bite back",
      {
        ...shell,
        get action() {
          throw new Error("no");
        },
      },
    ],
    [
      "a cycle",
      (() => {
        const o: Record<string, unknown> = {};
        o.self = o;
        return { ...shell, attributes: o };
      })(),
    ],
    [
      "odd values",
      {
        ...shell,
        attributes: { f: () => 1, s: Symbol("x"), n: Number.NaN, b: 2n ** 70n, l: "\ud800" },
      },
    ],
    ["a date that is none", { ...shell, time: new Date("x") }],
  ])("never throws: %s", (_, input) => {
    const { auditor, records } = auditorWithLog();
    auditor.record(input as never);
    auditor.record(shell);
    expect(records.length).toBeGreaterThan(0);
    expect(auditor.counters.failed).toBe(0);
  });

  it("never throws from start(), nor for an endpoint that is none", async () => {
    const { auditor } = auditorWithLog();
    auditor.start(undefined as never).end();
    auditor.start(null as never).end(null as never);
    const lost = createAuditor({ endpoint: "not a url" });
    lost.record(shell);
    await lost.shutdown();
  });

  it("survives a logger that throws", () => {
    const auditor = createAuditor({
      logger: {
        emit: () => {
          throw new Error("full");
        },
      },
    });
    auditor.record(shell);
    expect(auditor.counters.failed).toBe(1);
  });

  it("marks the end of the stream at shutdown and records nothing after it", async () => {
    const { auditor, attributes, records } = auditorWithLog();
    auditor.record(shell);
    await Promise.all([auditor.shutdown(), auditor.shutdown()]);
    auditor.record(shell);
    expect(records.length).toBe(2);
    expect(attributes(1)).toMatchObject({
      "agent_audit.stream.end": true,
      "agent_audit.source": "system",
      "agent_audit.stream.sequence": 2,
    });
    expect(auditor.counters.invalid).toBe(1);
  });

  it("sends what is recorded while a flush runs", async () => {
    const bodies: string[] = [];
    const server = http.createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      bodies.push(body);
      setTimeout(() => response.end("{}"), 50);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const auditor = createAuditor({ endpoint: `http://127.0.0.1:${port}` });
    auditor.record({ ...shell, action: "first" });
    const flushing = auditor.flush();
    auditor.record({ ...shell, action: "second" });
    await auditor.flush();
    expect(bodies.join()).toMatch(/second/);
    auditor.record({ ...shell, action: "third" });
    void auditor.flush();
    await auditor.shutdown();
    await flushing;
    server.close();
    expect(bodies.join()).toMatch(/third.*agent_audit.heartbeat/s);
  });

  it.each(["", "/", "/v1/logs", "/v1/logs/", "/base", "/base/v1/logs"])(
    "sends to the path of logs, also when the endpoint ends in %j",
    async (path) => {
      const paths: (string | undefined)[] = [];
      const server = http.createServer((request, response) => {
        paths.push(request.url);
        request.resume().on("end", () => response.end("{}"));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const auditor = createAuditor({ endpoint: `http://127.0.0.1:${port}${path}` });
      auditor.record(shell);
      await auditor.shutdown();
      server.close();
      expect(new Set(paths)).toEqual(
        new Set([path.startsWith("/base") ? "/base/v1/logs" : "/v1/logs"]),
      );
    },
  );

  it("keeps bodies small, whatever its events hold", async () => {
    const sizes: number[] = [];
    const server = http.createServer(async (request, response) => {
      let size = 0;
      for await (const chunk of request) size += (chunk as Buffer).length;
      sizes.push(size);
      response.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const auditor = createAuditor({ endpoint: `http://127.0.0.1:${port}` });
    for (let i = 0; i < 100; i++) {
      auditor.record({ ...shell, attributes: { text: "x".repeat(140_000) } });
    }
    await auditor.shutdown();
    server.close();
    expect(Math.max(...sizes)).toBeLessThan(5 * 1024 * 1024);
    expect(sizes.reduce((a, b) => a + b)).toBeGreaterThan(14_000_000);
  });

  it("ends flush and shutdown when nobody listens, without an error", async () => {
    const auditor = createAuditor({ endpoint: "http://127.0.0.1:9" });
    auditor.record(shell);
    await Promise.all([auditor.flush(), auditor.shutdown()]);
  });

  it("cuts long text wherever it stands", () => {
    const { auditor, attributes } = auditorWithLog();
    const long = "x".repeat(1_000_000);
    auditor.record({ ...shell, attributes: { top: long, deep: { list: [long] } } });
    expect(JSON.stringify(attributes(0)).length).toBeLessThan(600_000);
    expect(attributes(0).deep).toEqual({
      list: [expect.stringMatching(/^x+\[cut: 1000000 characters\]$/)],
    });
  });

  it("keeps whole numbers whole and big ones exact", () => {
    const { auditor, attributes } = auditorWithLog();
    auditor.record({
      ...shell,
      attributes: { pid: 12, share: 0.5, big: 2n ** 60n, deep: { list: [1, "a"] } },
    });
    expect(attributes(0)).toMatchObject({
      pid: 12,
      share: 0.5,
      big: "1152921504606846976",
      deep: { list: [1, "a"] },
    });
  });
});
