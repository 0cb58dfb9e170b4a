import type { ServerResponse } from "node:http";
import { AuditError } from "@agent-audit/schema";
import type { ReadScope, Store } from "@agent-audit/store";
import type { Parameters } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";

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
   * @throws AuditError `too_many_queries`, BadRequestError over HTTP/1.0
   */
  begin(
    store: Store,
    { afterSeq, scope }: ExportRequest,
    { uptoSeq, mayGoOn, onFault }: ExportTerms,
    connection: ServerResponse,
  ): ReadableStream<Uint8Array> {
    if (connection.req.httpVersion === "1.0") {
      throw new BadRequestError(
        "invalid_http_version",
        "over HTTP/1.0 an export that is cut off looks like one that is complete",
        "use HTTP/1.1; a proxy in between, too, as nginx does with `proxy_http_version 1.1`",
      );
    }
    if (this.#running >= MAX_RUNNING) {
      throw new AuditError(
        "too_many_queries",
        `${MAX_RUNNING} exports run`,
        "ask again when one of them is done",
      );
    }
    this.#count(connection);
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
          // The reader has left, and the stream is closed.
          if (connection.destroyed) return;
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value));
        } catch (error) {
          if (connection.destroyed) return;
          onFault(error);
          connection.destroy();
        }
      },
      async cancel() {
        await slices.return(undefined);
      },
    });
  }

  /** Counts an export until its answer is closed, or the connection: an answer that waits behind another is not told of that. */
  #count(connection: ServerResponse): void {
    const { socket } = connection.req;
    let isRunning = true;
    const release = () => {
      connection.off("close", release);
      socket.off("close", release);
      // One of the two is told while the other is.
      if (isRunning) this.#running--;
      isRunning = false;
    };
    this.#running++;
    connection.once("close", release);
    socket.once("close", release);
  }
}
