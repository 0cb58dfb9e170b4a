import type { ReadScope, Store } from "@agent-audit/store";
import type { Parameters } from "./parse-filter.js";

/** Formats of an export; more will come. */
const FORMATS = ["otlp"] as const;

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

/**
 * Streams the trail, in the order of its sequence, as lines of OTLP/JSON; a slow reader slows the reading.
 *
 * @param mayGoOn asked before each slice: a key may be revoked meanwhile, and the connection is then cut
 */
export function exportStream(
  store: Store,
  { afterSeq, scope }: ExportRequest,
  mayGoOn: () => boolean,
): ReadableStream<Uint8Array> {
  const slices = store.exportLines(afterSeq, scope);
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      if (!mayGoOn()) throw new Error("the key was revoked");
      const { value, done } = await slices.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await slices.return(undefined);
    },
  });
}
