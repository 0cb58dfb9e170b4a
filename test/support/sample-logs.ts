import { type LogsRequest, readLogsRequest, writeLogsRequest } from "@agent-audit/otlp";
import { ATTR_LOG_RECORD_UID, type AuditEvent, toLogRecord } from "@agent-audit/schema";

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

/** Reads the ids of a protobuf request's records, in order. */
export function idsOf(payload: Uint8Array): string[] {
  return readLogsRequest(payload)
    .resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
    .map(({ attributes }) =>
      String(attributes.find(({ key }) => key === ATTR_LOG_RECORD_UID)?.value ?? ""),
    );
}

/** Writes events as the protobuf body of one export. */
export function sampleBody(...events: AuditEvent[]): Buffer {
  return writeLogsRequest(requestOf(...events));
}
