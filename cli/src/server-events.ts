import type { Key } from "@agent-audit/access";
import type { ServerEvent } from "@agent-audit/collector";
import type { PlannedSegment } from "@agent-audit/query";
import {
  EVENT_GAP,
  EVENT_KEY_CHANGE,
  EVENT_RETENTION_DROP,
  EVENT_RETENTION_HOLD,
} from "@agent-audit/schema";
import type { Hold, SeqRange } from "@agent-audit/store";

/** Who asked: the id of an admin key, `local`, `offline`, or `schedule`. */
const CALLER = "agent_audit.admin.caller";

/** Says that acknowledged events are gone from the journal, and that an operator knew it. */
export function journalLossEvent({ firstSeq, lastSeq }: SeqRange): ServerEvent {
  return {
    eventName: EVENT_GAP,
    action: "journal_loss_accepted",
    resource: { type: "journal", id: `${firstSeq}-${lastSeq}` },
    description: `${lastSeq - firstSeq + 1n} acknowledged events are missing from the journal`,
    metadata: {
      "agent_audit.gap.first_seq": firstSeq,
      "agent_audit.gap.last_seq": lastSeq,
    },
  };
}

/** Says that a key was made or revoked; never what it is. */
export function keyChangeEvent(
  action: "key_created" | "key_revoked",
  key: Key,
  caller: string,
): ServerEvent {
  const bound = { org: key.org, project: key.project, agent: key.agent };
  const metadata: ServerEvent["metadata"] = {
    [CALLER]: caller,
    "agent_audit.key.scope": key.scope,
  };
  for (const [name, id] of Object.entries(bound)) {
    if (id !== null) metadata[`agent_audit.key.${name}`] = id;
  }
  return {
    eventName: EVENT_KEY_CHANGE,
    action,
    resource: { type: "key", id: key.id },
    description: `the key ${key.id} was ${action === "key_created" ? "made" : "revoked"}`,
    metadata,
  };
}

/** Says that a segment is dropped; recorded before it is. */
export function dropEvent(segment: PlannedSegment, caller: string): ServerEvent {
  return {
    eventName: EVENT_RETENTION_DROP,
    action: "segment_dropped",
    resource: { type: "segment", id: segment.segment },
    description: `${segment.events} events of the segment ${segment.segment} are dropped`,
    metadata: {
      [CALLER]: caller,
      "agent_audit.retention.first_seq": BigInt(segment.first_seq),
      "agent_audit.retention.last_seq": BigInt(segment.last_seq),
      "agent_audit.retention.events": BigInt(segment.events),
    },
  };
}

export function holdEvent(
  action: "hold_added" | "hold_removed",
  hold: Hold,
  caller: string,
): ServerEvent {
  return {
    eventName: EVENT_RETENTION_HOLD,
    action,
    resource: { type: "hold", id: hold.id },
    description: hold.note,
    metadata: { [CALLER]: caller, "agent_audit.retention.hold.query": hold.query },
  };
}
