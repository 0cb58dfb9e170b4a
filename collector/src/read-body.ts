import type { IncomingMessage } from "node:http";

/** The outcome of reading a request's body. */
export type BodyRead =
  | { status: "read"; body: Uint8Array }
  | { status: "too_large" }
  | { status: "aborted" };

/**
 * Reads a body of at most `limit` bytes from the raw stream: exporters send chunked bodies without a
 * length, so bytes are counted as they come. An aborted body is not handed on, not even in part.
 */
export async function readBody(incoming: IncomingMessage, limit: number): Promise<BodyRead> {
  if (Number(incoming.headers["content-length"] ?? 0) > limit) return { status: "too_large" };
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) return { status: "too_large" };
      chunks.push(chunk);
    }
  } catch {
    // The client went away or was too slow: there is nobody left to answer.
    return { status: "aborted" };
  }
  if (!incoming.complete) return { status: "aborted" };
  // A copy of its own: the memory moves to the journal's thread.
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return { status: "read", body };
}
