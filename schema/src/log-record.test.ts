import { readLogsRequest, writeLogsRequest } from "@agent-audit/otlp";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryAnyValue, arbitraryText } from "../../test/support/arbitrary-logs.js";
import { ATTR_RESULT, ATTR_SOURCE } from "./attributes.js";
import {
  ACTOR_TYPES,
  type AuditEvent,
  DECISIONS,
  PHASES,
  RESULTS,
  SOURCES,
} from "./audit-event.js";
import { CONTENT_ATTRIBUTES } from "./content.js";
import { fromLogRecord, toLogRecord } from "./log-record.js";
import { RESERVED_ATTRIBUTES } from "./reserved-attributes.js";

const text = arbitraryText.filter((value) => value !== "");
const id = fc.oneof(fc.uuid(), text);
const time = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const int32 = fc.integer();
const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .filter((value) => value.some((byte) => byte > 0))
    .map((value) => Buffer.from(value).toString("hex"));

const anyOf = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc
    .record(fields, { requiredKeys: [] })
    .filter((group) => Object.keys(group).length > 0) as fc.Arbitrary<Partial<T>>;

const outcome = fc.oneof(
  fc.record({ result: fc.constant("success" as const) }),
  fc.record({ result: fc.constantFrom("failure" as const, "error" as const), errorType: text }),
  fc.record({ phase: fc.constant("start" as const) }),
);

const metadata = fc
  .dictionary(text, arbitraryAnyValue, { maxKeys: 6 })
  .filter((map) =>
    Object.keys(map).every((key) => !RESERVED_ATTRIBUTES.has(key) && !CONTENT_ATTRIBUTES.has(key)),
  )
  .map((map) => ({ ...map, "http.request.method": "GET", "agent_audit.k8s.verb": 7n }));

const arbitraryEvent = fc
  .tuple(
    fc.record(
      {
        id,
        time,
        observedTime: time,
        duration: fc.bigInt({ min: 0n, max: 2n ** 51n }),
        eventName: text.filter((name) => !/^event .*:\d+$/.test(name)),
        source: fc.constantFrom(...SOURCES),
        actionType: text,
        action: text,
        actor: fc.record(
          { type: fc.constantFrom(...ACTOR_TYPES), id, name: text },
          { requiredKeys: ["type"] },
        ),
        agent: anyOf({ id, name: text, version: text }),
        user: anyOf({ id, name: text, email: text }),
        resource: fc.record({ type: text, id: text }),
        description: arbitraryText,
        statusCode: int32,
        exitCode: int32,
        decision: fc.constantFrom(...DECISIONS),
        org: fc.record({ id, name: text }, { requiredKeys: ["id"] }),
        project: fc.record({ id, name: text }, { requiredKeys: ["id"] }),
        conversationId: id,
        traceId: hex(16),
        spanId: hex(8),
        phase: fc.constantFrom(...PHASES.filter((phase) => phase !== "start")),
        operationId: id,
        redacted: fc.array(arbitraryText),
        stream: fc.record(
          { id, sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), end: fc.boolean() },
          { requiredKeys: ["id", "sequence"] },
        ),
        usage: anyOf({
          model: text,
          requestModel: text,
          provider: text,
          inputTokens: count,
          outputTokens: count,
          cacheReadTokens: count,
          cacheWriteTokens: count,
          reasoningTokens: count,
          cost: fc.double({ noNaN: true, noDefaultInfinity: true }),
          currency: text,
        }),
        content: fc
          .dictionary(fc.constantFrom(...CONTENT_ATTRIBUTES), arbitraryAnyValue, { minKeys: 1 })
          .map((map) => ({ ...map })),
        metadata,
      },
      {
        requiredKeys: ["time", "eventName", "source", "actionType", "action", "actor", "metadata"],
      },
    ),
    outcome,
  )
  .map(([event, result]) => ({ ...event, ...result }) as AuditEvent);

describe("toLogRecord and fromLogRecord", () => {
  it("lose nothing of any event, through the wire and back", () => {
    fc.assert(
      fc.property(arbitraryEvent, (event) => {
        const bytes = writeLogsRequest({
          resourceLogs: [
            {
              resource: null,
              scopeLogs: [{ scope: null, logRecords: [toLogRecord(event)], schemaUrl: "" }],
              schemaUrl: "",
            },
          ],
        });
        const record = readLogsRequest(bytes).resourceLogs[0]?.scopeLogs[0]?.logRecords[0];
        expect(record && fromLogRecord(record)).toEqual(event);
      }),
      { numRuns: 300 },
    );
  });

  it("take org and project from the resource when the record names none", () => {
    const record = toLogRecord(minimal());
    const resource = {
      attributes: [{ key: "agent_audit.org.id", value: "org_1" }],
      droppedAttributesCount: 0,
    };
    expect(fromLogRecord(record, resource).org).toEqual({ id: "org_1" });
  });

  it("refuse a foreign record and name what it lacks", () => {
    const record = toLogRecord(minimal());
    record.attributes = record.attributes.filter(
      ({ key }) => key !== ATTR_SOURCE && key !== ATTR_RESULT,
    );
    expect(() => fromLogRecord(record)).toThrow(/source is "null"; use one of.*result is missing/);
  });

  it.each([
    ["an unknown source", { source: "fax" }, /source is "fax"; use one of mcp-tool/],
    ["a failure without its class", { result: "failure" }, /errorType is required on failure/],
    ["a start with a result", { phase: "start" }, /result must be left out/],
    ["an id of 513 bytes", { id: "x".repeat(513) }, /id must have 1 to 512 bytes/],
    ["a sequence of 0", { stream: { id: "s", sequence: 0 } }, /stream.sequence must be/],
    ["a duration of 27 days", { duration: 2n ** 51n + 1n }, /duration must be ns/],
    ["metadata that shadows a field", { metadata: { [ATTR_RESULT]: "error" } }, /metadata\.agent/],
    ["content that is no content", { content: { x: "y" } }, /content\.x is no content attribute/],
    ["a trace id in upper case", { traceId: "A".repeat(32) }, /traceId must be 32/],
  ])("refuse %s", (_, change, message) => {
    expect(() => toLogRecord({ ...minimal(), ...change } as AuditEvent)).toThrow(message);
  });

  it("derive the severity from the result", () => {
    const severity = RESULTS.map(
      (result) => toLogRecord({ ...minimal(), result, errorType: "x" }).severityNumber,
    );
    expect(severity).toEqual([9, 13, 17]);
  });
});

function minimal(): AuditEvent {
  return {
    time: 1n,
    eventName: "agent_audit.shell.command",
    source: "shell",
    actionType: "shell_exec",
    action: "shell_exec",
    actor: { type: "agent" },
    result: "success",
    metadata: {},
  };
}
