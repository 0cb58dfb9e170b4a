import type { AuditEvent } from "@agent-audit/schema";
import { sampleBody, sampleEvent } from "./sample-logs.js";
import { startQuery } from "./start-query.js";
import { temporaryDirectory } from "./temporary-directory.js";

export const HOUR = 3_600_000_000_000n;
/** 2026-11-23T00:00:00Z */
export const DAY_START = 1_795_392_000_000_000_000n;

/** A call of a model, priced or not. */
export const llmCall = (cost: number | undefined, change: Partial<AuditEvent> = {}) =>
  sampleEvent({
    source: "llm-proxy",
    eventName: "agent_audit.llm.request",
    actionType: "llm_request",
    action: "chat m-1",
    time: DAY_START + 5n * HOUR,
    usage: {
      model: "m-1",
      provider: "p",
      inputTokens: 100,
      outputTokens: 10,
      ...(cost === undefined ? {} : { cost, currency: "USD" }),
    },
    ...change,
  });

const EVENTS: AuditEvent[] = [
  sampleEvent({
    id: "first",
    time: DAY_START + 123_456_789n,
    duration: 2_100_000_000n,
    result: "failure",
    errorType: "1",
    exitCode: 1,
    agent: { id: "agt_1", name: "build-bot" },
    user: { id: "u_42" },
    resource: { type: "process", id: "npm" },
    description: 'build-bot ran "npm test" -> exit 1 (2.1 s)',
    org: { id: "org_1" },
    project: { id: "prj_9" },
    stream: { id: "s", sequence: 1287 },
    content: { "agent_audit.process.stdout": "hello" },
    metadata: { "process.command_args": ["npm", "test"], big: 2n ** 60n },
  }),
  sampleEvent({ id: "second", time: DAY_START + HOUR, duration: 18_000_000n, action: "100% *" }),
  sampleEvent({ id: "third", time: DAY_START + HOUR, duration: 20_000_000n, statusCode: 403 }),
  llmCall(1.000000001),
  llmCall(0.25),
  llmCall(undefined),
  sampleEvent({
    id: "beat",
    source: "system",
    eventName: "agent_audit.heartbeat",
    time: DAY_START + 6n * HOUR,
  }),
];
const START = { ...sampleEvent({ id: "start", phase: "start", operationId: "op" }) };
delete (START as { result?: string }).result;

type Started = Awaited<ReturnType<typeof startQuery>>;

/** Starts a server that holds six events with costs, failures and gaps, one of the system and a beginning. */
export const startWithSample = async (): Promise<Started> => {
  const server = await startQuery(temporaryDirectory());
  server.append(sampleBody(...EVENTS, START), EVENTS.length + 1);
  await server.settle();
  return server;
};
