import { LogsScanner, writeLogsRequest } from "@agent-audit/otlp";
import { describe, expect, it } from "vitest";
import { requestOf, sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { findFalseClaims } from "./claims.js";
import { NO_SENDER } from "./sender.js";

const KEY = { ...NO_SENDER, keyId: "k" };

const codes = (payload: Buffer, sender = NO_SENDER) =>
  findFalseClaims(payload, new LogsScanner().scan(payload), sender).map(({ index, code }) => [
    index,
    code,
  ]);

describe("findFalseClaims", () => {
  it("finds nothing to object to in what is claimed by nobody else", () => {
    const body = sampleBody(
      sampleEvent({ org: { id: "acme" }, project: { id: "p" }, agent: { id: "agt_1" } }),
      sampleEvent({ actor: { type: "user", id: "u1" } }),
      sampleEvent({ description: "they asked for agent_audit.query and agent_audit.key.x" }),
    );
    expect(codes(body)).toEqual([]);
    const sender = { ...KEY, orgId: "acme", projectId: "p", agentId: "agt_1" };
    expect(codes(body, sender)).toEqual([]);
  });

  it.each([
    ["organisation", { org: { id: "evil" } }, { orgId: "acme" }],
    ["project", { project: { id: "other" } }, { projectId: "p" }],
    ["agent", { agent: { id: "agt_2" } }, { agentId: "agt_1" }],
    [
      "actor that is an agent",
      { actor: { type: "agent" as const, id: "agt_2" } },
      { agentId: "agt_1" },
    ],
  ])("finds a record that claims another %s", (_, claim, bound) => {
    const body = sampleBody(
      sampleEvent({ actor: { type: "user" } }),
      sampleEvent({ actor: { type: "user" }, ...claim }),
    );
    expect(codes(body, { ...KEY, ...bound })).toEqual([[1, "foreign_claim"]]);
  });

  it("finds what a resource claims for its records, unless they say better", () => {
    const request = requestOf(sampleEvent(), sampleEvent({ org: { id: "acme" } }));
    request.resourceLogs[0]?.resource?.attributes.push({
      key: "agent_audit.org.id",
      value: "evil",
    });
    const body = writeLogsRequest(request);
    expect(codes(body, { ...KEY, orgId: "acme" })).toEqual([[0, "foreign_claim"]]);
  });

  it("is not deceived by a key that is given twice", () => {
    const request = requestOf(sampleEvent());
    const attributes = request.resourceLogs[0]?.scopeLogs[0]?.logRecords[0]?.attributes;
    attributes?.push(
      { key: "agent_audit.org.id", value: "" },
      { key: "agent_audit.org.id", value: "evil" },
    );
    expect(codes(writeLogsRequest(request), { ...KEY, orgId: "acme" })).toEqual([
      [0, "foreign_claim"],
    ]);
  });

  it("is not deceived by an attribute whose value comes before its key, or twice", () => {
    const body = sampleBody(sampleEvent({ actor: { type: "user" }, org: { id: "evil" } }));
    const key = Buffer.from("\x0a\x12agent_audit.org.id", "latin1");
    const value = Buffer.from("\x12\x06\x0a\x04evil", "latin1");
    const at = body.indexOf(Buffer.concat([key, value]));
    expect(at).toBeGreaterThan(0);
    const turned = Buffer.from(body);
    Buffer.concat([value, key]).copy(turned, at);
    expect(codes(turned, { ...KEY, orgId: "acme" })).toEqual([[0, "foreign_claim"]]);
  });

  it.each([
    "agent_audit.query",
    "agent_audit.checkpoint",
    "agent_audit.server.start",
    "agent_audit.retention.drop",
    "agent_audit.key.change",
    "agent_audit.key.anything",
  ])("finds a forged %s", (eventName) => {
    const body = sampleBody(sampleEvent(), sampleEvent({ eventName }));
    expect(codes(body)).toEqual([[1, "reserved_event"]]);
  });

  it("leaves emitters their own health events", () => {
    const names = ["agent_audit.heartbeat", "agent_audit.gap", "agent_audit.query_plan"];
    expect(codes(sampleBody(...names.map((eventName) => sampleEvent({ eventName }))))).toEqual([]);
  });

  it("finds a forged name behind a place in code, and in the body", () => {
    const request = requestOf(
      sampleEvent({ metadata: { "event.name": "agent_audit.query" } }),
      sampleEvent({ description: "agent_audit.key.change" }),
    );
    const [first, second] = request.resourceLogs[0]?.scopeLogs[0]?.logRecords ?? [];
    if (first === undefined || second === undefined) throw new Error("no records");
    first.eventName = "event src/main.rs:12";
    second.eventName = "";
    expect(codes(writeLogsRequest(request))).toEqual([
      [0, "reserved_event"],
      [1, "reserved_event"],
    ]);
  });

  it("finds a forged name in the attribute that old senders use", () => {
    const request = requestOf(
      sampleEvent({ metadata: { "event.name": "agent_audit.key.change" } }),
    );
    const record = request.resourceLogs[0]?.scopeLogs[0]?.logRecords[0];
    if (record !== undefined) record.eventName = "";
    expect(codes(writeLogsRequest(request))).toEqual([[0, "reserved_event"]]);
  });
});
