import type { KeyValue } from "@agent-audit/otlp";
import type { ActorType, Decision, Phase, Result, Source } from "./audit-event.js";

/**
 * Holds what one log record says, field by field, `null` where it says nothing: the flat form that the
 * store turns into a row. Any record has one, ours or foreign.
 */
export interface Envelope {
  id: string | null;
  /** ns since 1970 UTC: the record's time, else its observed time, else 0. */
  time: bigint;
  timeSource: "timestamp" | "observed" | "received";
  observedTime: bigint | null;
  /** ns */
  duration: bigint | null;
  eventName: string | null;
  severityNumber: number;
  description: string | null;
  traceId: string | null;
  spanId: string | null;
  actorType: ActorType | null;
  actorId: string | null;
  actorName: string | null;
  agentId: string | null;
  agentName: string | null;
  agentVersion: string | null;
  userId: string | null;
  userName: string | null;
  userEmail: string | null;
  conversationId: string | null;
  source: Source | null;
  actionType: string | null;
  action: string | null;
  resourceType: string | null;
  resourceId: string | null;
  result: Result | null;
  errorType: string | null;
  statusCode: number | null;
  exitCode: number | null;
  rpcStatusCode: string | null;
  decision: Decision | null;
  orgId: string | null;
  orgName: string | null;
  projectId: string | null;
  projectName: string | null;
  streamId: string | null;
  streamSequence: number | null;
  streamEnd: boolean | null;
  redacted: string[] | null;
  phase: Phase | null;
  operationId: string | null;
  serviceName: string | null;
  hostName: string | null;
  clusterName: string | null;
  responseModel: string | null;
  requestModel: string | null;
  provider: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  cacheReadTokens: number | null;
  cacheWriteTokens: number | null;
  reasoningTokens: number | null;
  costAmount: number | null;
  currency: string | null;
  toolName: string | null;
  httpMethod: string | null;
  serverAddress: string | null;
  k8sNamespace: string | null;
  k8sVerb: string | null;
  k8sResource: string | null;
  awsService: string | null;
  awsAction: string | null;
  /** Request and response sizes, added up where known. */
  bytes: number | null;
  /** Captured content, in wire order: see `CONTENT_ATTRIBUTES`. */
  content: KeyValue[];
  /** Every attribute that no field holds exactly, in wire order. */
  metadata: KeyValue[];
}

/** Makes an envelope that says nothing. */
export function emptyEnvelope(): Envelope {
  return {
    id: null,
    time: 0n,
    timeSource: "received",
    observedTime: null,
    duration: null,
    eventName: null,
    severityNumber: 0,
    description: null,
    traceId: null,
    spanId: null,
    actorType: null,
    actorId: null,
    actorName: null,
    agentId: null,
    agentName: null,
    agentVersion: null,
    userId: null,
    userName: null,
    userEmail: null,
    conversationId: null,
    source: null,
    actionType: null,
    action: null,
    resourceType: null,
    resourceId: null,
    result: null,
    errorType: null,
    statusCode: null,
    exitCode: null,
    rpcStatusCode: null,
    decision: null,
    orgId: null,
    orgName: null,
    projectId: null,
    projectName: null,
    streamId: null,
    streamSequence: null,
    streamEnd: null,
    redacted: null,
    phase: null,
    operationId: null,
    serviceName: null,
    hostName: null,
    clusterName: null,
    responseModel: null,
    requestModel: null,
    provider: null,
    inputTokens: null,
    outputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
    costAmount: null,
    currency: null,
    toolName: null,
    httpMethod: null,
    serverAddress: null,
    k8sNamespace: null,
    k8sVerb: null,
    k8sResource: null,
    awsService: null,
    awsAction: null,
    bytes: null,
    content: [],
    metadata: [],
  };
}
