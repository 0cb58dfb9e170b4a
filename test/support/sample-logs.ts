import { type LogsRequest, writeLogsRequest } from "@agent-audit/otlp";
import { type AuditEvent, toLogRecord } from "@agent-audit/schema";

/** Makes an event of a shell command; `change` overrides fields. */
export function sampleEvent(change: Partial<AuditEvent> = {}): AuditEvent {
  return {
    time: 1_790_000_000_000_000_000n,
    eventName: "agent_audit.shell.command",
    source: "shell",
    actionType: "shell_exec",
    action: "shell_exec",
    actor: { type: "agent", id: "agt_1", name: "build-bot" },
    result: "success",
    metadata: {},
    ...change,
  };
}

export function requestOf(...events: AuditEvent[]): LogsRequest {
  return {
    resourceLogs: [
      {
        resource: {
          attributes: [{ key: "service.name", value: "sample" }],
          droppedAttributesCount: 0,
        },
        scopeLogs: [{ scope: null, logRecords: events.map(toLogRecord), schemaUrl: "" }],
        schemaUrl: "",
      },
    ],
  };
}

/** Writes events as the protobuf body of one export. */
export function sampleBody(...events: AuditEvent[]): Buffer {
  return writeLogsRequest(requestOf(...events));
}
