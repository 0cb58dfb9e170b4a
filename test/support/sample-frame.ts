import type { NewFrame } from "@agent-audit/store";

/** Makes a frame of one record, of no sender; `change` overrides fields. */
export function sampleFrame(change: Partial<NewFrame> = {}): NewFrame {
  return {
    kind: "records",
    recordCount: 1,
    receivedNano: 0n,
    keyId: "",
    orgId: "",
    projectId: "",
    agentId: "",
    digest: Buffer.alloc(16),
    payload: Buffer.alloc(0),
    ...change,
  };
}
