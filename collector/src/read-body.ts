import type { IncomingMessage } from "node:http";
import type { InFlightBudget } from "./in-flight-budget.js";

/** The outcome of reading a request's body; `heldBytes` must be given back to the budget. */
export type BodyRead = { heldBytes: number } & (
  | { status: "read"; body: Uint8Array }
  | { status: "too_large" }
  | { status: "no_room" }
  | { status: "aborted" }
);

/**
 * Reads a body of at most `limit` bytes from the raw stream: exporters send chunked bodies without a
 * length, so bytes are counted as they come. An aborted body is not handed on, not even in part.
 */
export async function readBody(
  incoming: IncomingMessage,
  limit: number,
  budget: InFlightBudget,
): Promise<BodyRead> {
  let heldBytes = 0;
  if (Number(incoming.headers["content-length"] ?? 0) > limit) {
    return { status: "too_large", heldBytes };
  }
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      if (heldBytes + chunk.length > limit) return { status: "too_large", heldBytes };
      if (!budget.reserve(chunk.length)) return { status: "no_room", heldBytes };
      heldBytes += chunk.length;
      chunks.push(chunk);
    }
  } catch {
    // The client went away or was too slow: there is nobody left to answer.
    return { status: "aborted", heldBytes };
  }
  if (!incoming.complete) return { status: "aborted", heldBytes };
  return { status: "read", body: joined(chunks, heldBytes), heldBytes };
}

/** A copy of its own: the memory moves to the journal's thread. */
function joined(chunks: readonly Buffer[], size: number): Uint8Array {
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return body;
}
