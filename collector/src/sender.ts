import type { Key } from "@agent-audit/access";

/** Who sent a body, as its key says; `""` for none, and for what the key leaves open. */
export interface Sender {
  keyId: string;
  orgId: string;
  projectId: string;
  agentId: string;
}

/** Stands for a sender of whom no key is known. */
export const NO_SENDER: Sender = { keyId: "", orgId: "", projectId: "", agentId: "" };

export function senderOf(key: Key | null): Sender {
  if (key === null) return NO_SENDER;
  const { id, org, project, agent } = key;
  return { keyId: id, orgId: org ?? "", projectId: project ?? "", agentId: agent ?? "" };
}
