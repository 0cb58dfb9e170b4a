import type { Key } from "@agent-audit/access";
import type { ServerEvent } from "@agent-audit/collector";
import { EVENT_GAP, EVENT_KEY_CHANGE } from "@agent-audit/schema";
import type { LostRange } from "@agent-audit/store";

/** Says that acknowledged events are gone from the journal, and that an operator knew it. */
export function journalLossEvent({ firstSeq, lastSeq }: LostRange): ServerEvent {
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
export function keyChangeEvent(action: "key_created" | "key_revoked", key: Key): ServerEvent {
  const bound = { org: key.org, project: key.project, agent: key.agent };
  const metadata: ServerEvent["metadata"] = { "agent_audit.key.scope": key.scope };
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
