import {
  asBuffer,
  type LogsScan,
  LogsScanner,
  readAnyValue,
  readLogsRequest,
} from "@agent-audit/otlp";
import {
  ATTR_ACTOR_ID,
  ATTR_GEN_AI_AGENT_ID,
  ATTR_ORG_ID,
  ATTR_PROJECT_ID,
  type Envelope,
  EVENT_CHECKPOINT,
  EVENT_QUERY,
  readEnvelope,
} from "@agent-audit/schema";
import type { Sender } from "./sender.js";

/** Names why a record may not come from its sender; counters are named by it. */
export type ClaimCode = "foreign_claim" | "reserved_event";

/** A record that says what its sender may not say. */
export interface ClaimFault {
  index: number;
  code: ClaimCode;
  reason: string;
}

/** Events of the server itself: from anybody else they are forged. A dot at the end stands for all that follow it. */
const RESERVED_EVENTS = [
  EVENT_QUERY,
  EVENT_CHECKPOINT,
  "agent_audit.server.",
  "agent_audit.retention.",
  "agent_audit.key.",
];

const OWN_PREFIX_LENGTH = "agent_audit.".length;
/** What follows that prefix in a reserved name. */
const RESERVED_INITIALS = new Set(
  RESERVED_EVENTS.map((name) => name.charCodeAt(OWN_PREFIX_LENGTH)),
);
const RESERVED_ANYWHERE = new RegExp(
  RESERVED_EVENTS.map((name) => name.replaceAll(".", "\\.")).join("|"),
);
const COLON = ":".charCodeAt(0);

const ORG = 0;
const PROJECT = 1;
const AGENT = 2;
const ACTOR = 3;
const WATCHED = [ATTR_ORG_ID, ATTR_PROJECT_ID, ATTR_GEN_AI_AGENT_ID, ATTR_ACTOR_ID];
const WATCHED_OF_RESOURCE = [ATTR_ORG_ID, ATTR_PROJECT_ID];

const scanner = new LogsScanner(WATCHED, WATCHED_OF_RESOURCE);

/**
 * Finds the records that claim another organisation, project or agent than their sender's key fixes, or to be the
 * server's own. Records are decoded only where a look at the bytes leaves a doubt.
 *
 * @param payload a protobuf request without faults
 * @param scan of `payload`
 */
export function findFalseClaims(
  payload: Uint8Array,
  { eventNames }: Pick<LogsScan, "eventNames">,
  sender: Sender,
): ClaimFault[] {
  const bytes = asBuffer(payload);
  if (areNamesFree(bytes, eventNames) && areClaimsTrue(bytes, sender)) return [];
  const faults: ClaimFault[] = [];
  let index = 0;
  for (const { resource, scopeLogs } of readLogsRequest(payload).resourceLogs) {
    for (const { logRecords } of scopeLogs) {
      for (const record of logRecords) {
        const fault = falseClaim(readEnvelope(record, resource), sender);
        if (fault !== null) faults.push({ index, ...fault });
        index++;
      }
    }
  }
  return faults;
}

function falseClaim(envelope: Envelope, sender: Sender): Omit<ClaimFault, "index"> | null {
  const { eventName, orgId, projectId, agentId, actorType, actorId } = envelope;
  if (eventName !== null && RESERVED_EVENTS.some((name) => isNamed(eventName, name))) {
    return { code: "reserved_event", reason: `only the server itself records ${eventName}` };
  }
  const claims = [
    ["organisation", orgId, sender.orgId],
    ["project", projectId, sender.projectId],
    ["agent", agentId, sender.agentId],
    ["agent", actorType === "agent" ? actorId : null, sender.agentId],
  ] as const;
  for (const [what, claimed, fixed] of claims) {
    if (fixed === "" || claimed === null || claimed === fixed) continue;
    const reason = `the key ${sender.keyId} is for ${what} ${fixed}, the record claims another`;
    return { code: "foreign_claim", reason };
  }
  return null;
}

function isNamed(eventName: string, reserved: string): boolean {
  return reserved.endsWith(".") ? eventName.startsWith(reserved) : eventName === reserved;
}

/** Whether no record can be named as only the server's are; `false` says only that a closer look is needed. */
function areNamesFree(bytes: Buffer, eventNames: readonly number[]): boolean {
  for (let i = 0; i < eventNames.length; i += 2) {
    const start = eventNames[i] as number;
    const end = eventNames[i + 1] as number;
    // Without a name, or with a place in code for one, an attribute or the body names the record.
    if (start === end || hasColon(bytes, start, end)) {
      return !RESERVED_ANYWHERE.test(bytes.toString("latin1"));
    }
    if (RESERVED_INITIALS.has(bytes[start + OWN_PREFIX_LENGTH] as number)) {
      const name = bytes.toString("latin1", start, end);
      if (RESERVED_EVENTS.some((reserved) => isNamed(name, reserved))) return false;
    }
  }
  return true;
}

/** A view of each name would cost more than everything else here. */
function hasColon(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === COLON) return true;
  return false;
}

/** Whether every claim that the bytes show is what the key fixes; `false` says only that a closer look is needed. */
function areClaimsTrue(bytes: Buffer, { orgId, projectId, agentId }: Sender): boolean {
  if (orgId === "" && projectId === "" && agentId === "") return true;
  const scan = scanner.scan(bytes);
  if (scan.hasUnusualAttributes) return false;
  const { starts, groups, watched, watchedOfGroups } = scan;
  const isTrue = (spans: readonly number[], at: number, fixed: string) => {
    const start = spans[at * 2] as number;
    if (fixed === "" || start < 0) return true;
    return readAnyValue(bytes, start, spans[at * 2 + 1] as number) === fixed;
  };
  return starts.every((_, index) => {
    const own = index * WATCHED.length;
    const group = (groups[index] as number) * WATCHED_OF_RESOURCE.length;
    return (
      isTrue(watched, own + ORG, orgId) &&
      isTrue(watched, own + PROJECT, projectId) &&
      isTrue(watched, own + AGENT, agentId) &&
      isTrue(watched, own + ACTOR, agentId) &&
      isTrue(watchedOfGroups, group + ORG, orgId) &&
      isTrue(watchedOfGroups, group + PROJECT, projectId)
    );
  });
}
