import type { ServerEvent } from "@agent-audit/collector";
import { EVENT_GAP } from "@agent-audit/schema";
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
