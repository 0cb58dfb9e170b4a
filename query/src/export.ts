import type { ServerResponse } from "node:http";
import { AuditError } from "@agent-audit/schema";
import type { ReadScope, Store } from "@agent-audit/store";
import type { Parameters } from "./parse-filter.js";

/** Formats of an export; more will come. */
const FORMATS = ["otlp"] as const;

/** Exports that run at once: each holds some slices of 16 MiB, and the engine's one thread makes them. */
const MAX_RUNNING = 4;
const STALL_MILLIS = 300_000;

export interface ExportRequest {
  format: (typeof FORMATS)[number];
  /** Give what comes after; 0 for all. */
  afterSeq: bigint;
  scope: ReadScope;
}

/** Reads the parameters of `GET /export`. @throws BadRequestError */
export function parseExportRequest(parameters: Parameters): ExportRequest {
  const format = parameters.choice("format", FORMATS, "otlp");
  const afterSeq = parameters.integer("after_seq", 0, Number.MAX_SAFE_INTEGER, 0);
  parameters.end(["format", "after_seq"]);
  return { format, afterSeq: BigInt(afterSeq), scope: parameters.scope };
}

/** What an export goes by while it runs. */
export interface ExportTerms {
  /** Last sequence that it gives. */
  uptoSeq: bigint;
  /** Asked before each slice: a key may be revoked meanwhile. */
  mayGoOn: () => boolean;
  /** Told of what hinders it. */
  onFault: (error: unknown) => void;
}

/** The exports of a server, few at once. */
export class Exports {
  readonly #stallMillis: number;
  #running = 0;

  /** @param stallMillis after which a reader that takes nothing is cut off */
  constructor(stallMillis = STALL_MILLIS) {
    this.#stallMillis = stallMillis;
  }

  /**
   * Streams the trail, in the order of its sequence, as lines of OTLP/JSON; a slow reader slows the reading. What does not come to its end
   * is cut off: a stream that failed would end as if it were complete.
   *
   * @throws AuditError `too_many_queries`
   */
  begin(
    store: Store,
    { afterSeq, scope }: ExportRequest,
    { uptoSeq, mayGoOn, onFault }: ExportTerms,
    connection: ServerResponse,
  ): ReadableStream<Uint8Array> {
    if (this.#running >= MAX_RUNNING) {
      throw new AuditError(
        "too_many_queries",
        `${MAX_RUNNING} exports run`,
        "ask again when one of them is done",
      );
    }
    this.#running++;
    connection.once("close", () => {
      this.#running--;
    });
    connection.setTimeout(this.#stallMillis, () => connection.destroy());
    const slices = store.exportLines(afterSeq, scope, uptoSeq);
    const encoder = new TextEncoder();
    return new ReadableStream({
      async pull(controller) {
        try {
          if (!mayGoOn()) {
            connection.destroy();
            return;
          }
          const { value, done } = await slices.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value));
        } catch (error) {
          onFault(error);
          connection.destroy();
        }
      },
      async cancel() {
        await slices.return(undefined);
      },
    });
  }
}
