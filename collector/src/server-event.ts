import { randomUUID } from "node:crypto";
import { type AnyValue, writeLogsRequest } from "@agent-audit/otlp";
import { type AuditEvent, toLogRecord } from "@agent-audit/schema";

/** What happened to the trail itself. */
export interface ServerEvent {
  eventName: string;
  action: string;
  resource: { type: string; id: string };
  description: string;
  metadata: Record<string, AnyValue>;
}

/** Writes an event of the server's own as a request of one record. */
export function serverEventPayload(event: ServerEvent, nowNano: bigint): Buffer {
  const { action, ...said } = event;
  const auditEvent: AuditEvent = {
    id: randomUUID(),
    time: nowNano,
    source: "system",
    actionType: action,
    action,
    actor: { type: "system" },
    result: "success",
    ...said,
  };
  return writeLogsRequest({
    resourceLogs: [
      {
        resource: {
          attributes: [{ key: "service.name", value: "agent-audit" }],
          droppedAttributesCount: 0,
        },
        scopeLogs: [{ scope: null, logRecords: [toLogRecord(auditEvent)], schemaUrl: "" }],
        schemaUrl: "",
      },
    ],
  });
}
