import { type AnyValue, emptyLogRecord } from "@agent-audit/otlp";
import { describe, expect, it } from "vitest";
import { readEnvelope } from "./read-envelope.js";

const read = (attributes: Record<string, AnyValue>, rest = {}) =>
  readEnvelope(
    {
      ...emptyLogRecord(),
      ...rest,
      attributes: Object.entries(attributes).map(([key, value]) => ({ key, value })),
    },
    null,
  );

describe("readEnvelope", () => {
  it.each([
    ["EventName", { eventName: "a.b" }, {}, "a.b"],
    [
      "event.name where EventName is a source location",
      { eventName: "event src/x.rs:7" },
      { "event.name": "a.c" },
      "a.c",
    ],
    ["a body that looks like a name", { body: "gen_ai.choice" }, {}, "gen_ai.choice"],
    ["nothing from a body of prose", { body: "Hello there" }, {}, null],
  ])("takes the event name from %s", (_, rest, attributes, expected) => {
    expect(read(attributes as Record<string, AnyValue>, rest).eventName).toBe(expected);
  });

  it.each([
    [{ timeUnixNano: 5n, observedTimeUnixNano: 7n }, 5n, "timestamp"],
    [{ observedTimeUnixNano: 7n }, 7n, "observed"],
    [{}, 0n, "received"],
  ])("says where the event time of %o comes from", (rest, time, source) => {
    expect(read({}, rest)).toMatchObject({ time, timeSource: source });
  });

  it("coerces what foreign senders write as text, and keeps the original", () => {
    const envelope = read({ "http.response.status_code": "403", "process.exit.code": "x" });
    expect(envelope.statusCode).toBe(403);
    expect(envelope.exitCode).toBeNull();
    expect(envelope.metadata).toEqual([
      { key: "http.response.status_code", value: "403" },
      { key: "process.exit.code", value: "x" },
    ]);
  });

  it("keeps a value that the field cannot hold in metadata", () => {
    const envelope = read({ "agent_audit.result": "maybe", "agent_audit.duration": "soon" });
    expect(envelope).toMatchObject({ result: null, duration: null });
    expect(envelope.metadata.map(({ key }) => key)).toEqual([
      "agent_audit.result",
      "agent_audit.duration",
    ]);
  });

  it("lets the first of two equal keys fill the field", () => {
    const record = {
      ...emptyLogRecord(),
      attributes: [
        { key: "agent_audit.org.id", value: "org_1" },
        { key: "agent_audit.org.id", value: "org_2" },
      ],
    };
    expect(readEnvelope(record, null).orgId).toBe("org_1");
  });

  it("lets the agent act where a foreign record names no actor", () => {
    expect(read({ "gen_ai.agent.id": "agt_1", "user.id": "u_1" })).toMatchObject({
      actorType: "agent",
      actorId: "agt_1",
      userId: "u_1",
    });
  });

  it("takes what the sender's key fixes, and lets the agent of the key act", () => {
    const fixed = { orgId: "org_1", projectId: "", agentId: "agt_1" };
    const record = {
      ...emptyLogRecord(),
      attributes: [
        { key: "agent_audit.project.id", value: "p" },
        { key: "user.id", value: "u_1" },
      ],
    };
    expect(readEnvelope(record, null, fixed)).toMatchObject({
      orgId: "org_1",
      projectId: "p",
      agentId: "agt_1",
      actorType: "agent",
      actorId: "agt_1",
      userId: "u_1",
    });
  });

  it("adds up request and response sizes, each counted once", () => {
    const envelope = read({
      "http.request.size": 10n,
      "http.request.body.size": 8n,
      "http.response.body.size": 5n,
    });
    expect(envelope.bytes).toBe(15);
  });

  it("accepts the former name of cache write tokens", () => {
    expect(read({ "gen_ai.usage.cache_creation.input_tokens": 4n }).cacheWriteTokens).toBe(4);
  });
});
