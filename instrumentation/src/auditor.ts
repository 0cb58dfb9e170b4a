import { type AuditEvent, EVENT_HEARTBEAT, toLogRecord } from "@agent-audit/schema";
import { diag } from "@opentelemetry/api";
import type { Logger } from "@opentelemetry/api-logs";
import { actorName, type Identity, IdentityScope } from "./identity.js";
import { emit, type Pipeline, sdkPipeline } from "./pipeline.js";
import { eventOf, type RecordInput } from "./record-input.js";
import { redactEvent } from "./redaction/redact.js";
import { uuidV7 } from "./uuid-v7.js";

/** How long `flush` and `shutdown` wait at most: auditing never holds the host back. */
const STOP_MILLIS = 30_000;

export interface AuditorOptions extends Identity {
  /** Base URL of a Collector or server, with or without `/v1/logs`; default `OTEL_EXPORTER_OTLP_(LOGS_)ENDPOINT`, else `http://localhost:4318`. */
  endpoint?: string;
  /** Headers of every export, e.g. `Authorization`; default `OTEL_EXPORTER_OTLP_(LOGS_)HEADERS`. */
  headers?: Record<string, string>;
  /** A logger of the application's own pipeline; then only mapping, identity and redaction are ours. */
  logger?: Pick<Logger, "emit">;
  /** Reserved for the disk spool; has no effect yet: records wait in memory only. */
  spool?: { directory: string; maxBytes?: number };
}

/** Counts what an auditor did since it was made. */
export interface AuditorCounters {
  /** Events handed to OpenTelemetry. */
  recorded: number;
  /** Inputs that were no event: each is also an OpenTelemetry diagnostic. */
  invalid: number;
  /** Faults of ours; the event is lost, the host is not disturbed. */
  failed: number;
}

/** A long action that has begun. */
export interface StartedAction {
  /** Records the action with what is known now; the first call counts. */
  end(outcome?: Partial<RecordInput>): void;
}

/** Records what agents do. No method throws into the host, waits on the network, or grows without bound. */
export interface Auditor {
  /** Records one action. Returns at once. */
  record(input: RecordInput): void;
  /** Begins an action whose duration is measured; nothing is recorded before `end`. */
  start(input: RecordInput): StartedAction;
  /** Runs `action` and all that it starts under another identity; what the change leaves out stays. */
  with<T>(identity: Identity, action: () => T): T;
  /** Sends what waits; ends after 30 s at the latest and never rejects. */
  flush(): Promise<void>;
  /** Marks the stream's end, sends what waits and stops; ends after 30 s at the latest and never rejects. */
  shutdown(): Promise<void>;
  /** Id of this process's stream. */
  readonly streamId: string;
  /** Display name of who acts in this call. */
  readonly actorName: string;
  readonly counters: Readonly<AuditorCounters>;
}

/** Makes the auditor of a process: one stream, with sequence numbers from 1. */
export function createAuditor(options: AuditorOptions = {}): Auditor {
  return new SdkAuditor(options);
}

class SdkAuditor implements Auditor {
  readonly streamId = uuidV7();
  readonly counters: AuditorCounters = { recorded: 0, invalid: 0, failed: 0 };
  readonly #scope: IdentityScope;
  readonly #pipeline: Pipeline;
  #sequence = 0;
  #flushing: Promise<void> = Promise.resolve();
  #shutdown: Promise<void> | null = null;

  constructor({ endpoint, headers, logger, spool, ...identity }: AuditorOptions) {
    if (spool !== undefined) diag.warn("agent-audit: spool has no effect in this version");
    this.#scope = new IdentityScope(identity);
    this.#pipeline =
      logger === undefined
        ? pipelineOrNone(() => sdkPipeline({ endpoint, headers, instanceId: this.streamId }))
        : pipelineOf(logger as Logger);
  }

  get actorName(): string {
    return actorName(this.#scope.current);
  }

  record(input: RecordInput): void {
    if (this.#shutdown !== null) {
      this.#reject("record() after shutdown()");
      return;
    }
    this.#record(input, {});
  }

  start(input: RecordInput): StartedAction {
    const identity = this.#scope.current;
    const startedAt = performance.now();
    const time = input?.time ?? now();
    let hasEnded = false;
    return {
      end: (outcome = {}) => {
        if (hasEnded) return;
        hasEnded = true;
        const durationMillis = performance.now() - startedAt;
        this.#scope.run(identity, () =>
          this.record({ durationMillis, ...input, ...outcome, time } as RecordInput),
        );
      },
    };
  }

  with<T>(identity: Identity, action: () => T): T {
    return this.#scope.run(identity, action);
  }

  async flush(): Promise<void> {
    await settleWithin(STOP_MILLIS, this.#flushed());
  }

  /** One after the other: a flush beside another one returns at once, and what came between is not sent. */
  #flushed(): Promise<void> {
    const flushed = this.#flushing.then(() => this.#pipeline.flush());
    this.#flushing = flushed.catch(() => {});
    return flushed;
  }

  shutdown(): Promise<void> {
    this.#shutdown ??= this.#end();
    return this.#shutdown;
  }

  async #end(): Promise<void> {
    this.#record(
      {
        source: "system",
        actionType: "heartbeat",
        eventName: EVENT_HEARTBEAT,
        resource: { type: "stream", id: this.streamId },
        description: `${this.actorName}: the stream ends`,
      },
      { end: true },
    );
    const ended = this.#flushing.then(() => this.#pipeline.shutdown());
    await settleWithin(STOP_MILLIS, ended);
  }

  #record(input: RecordInput, mark: { end?: true }): void {
    let event: AuditEvent;
    try {
      event = eventOf(input, this.#scope.current, now());
    } catch (error) {
      this.#reject(String(error));
      return;
    }
    try {
      // The sequence is taken only by an event that can be sent: a hole means a loss.
      const record = toLogRecord(
        redactEvent({
          ...event,
          id: uuidV7(),
          stream: { id: this.streamId, sequence: this.#sequence + 1, ...mark },
        }),
      );
      this.#sequence++;
      emit(this.#pipeline.logger, record, input.traceparent);
      this.counters.recorded++;
    } catch (error) {
      if ((error as { code?: string }).code === "invalid_event") {
        this.#reject((error as Error).message);
      } else {
        this.counters.failed++;
        diag.error(`agent-audit: an event could not be recorded: ${String(error)}`);
      }
    }
  }

  #reject(reason: string): void {
    this.counters.invalid++;
    diag.warn(`agent-audit: ${reason}`);
  }
}

/** A pipeline that cannot be built, as for a wrong endpoint, costs the events, not the host. */
function pipelineOrNone(build: () => Pipeline): Pipeline {
  try {
    return build();
  } catch (error) {
    diag.error(`agent-audit: events go nowhere: ${String(error)}`);
    return pipelineOf({ emit: () => {}, enabled: () => false });
  }
}

function pipelineOf(logger: Logger): Pipeline {
  return { logger, flush: async () => {}, shutdown: async () => {} };
}

/** Waits for work, but neither longer than `millis` nor for its error: the host goes on either way. */
async function settleWithin(millis: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, millis);
  });
  const settled = work.catch((error) => diag.warn(`agent-audit: export failed: ${String(error)}`));
  await Promise.race([settled, limit]);
  clearTimeout(timer);
}

/** The system's clock: the monotonic one stands still while a machine sleeps. */
function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
