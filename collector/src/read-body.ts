import type { IncomingMessage } from "node:http";
import { BodyBlocks } from "./body-blocks.js";
import type { InFlightBudget } from "./in-flight-budget.js";

/** The outcome of reading a request's body; `heldBytes` must be given back to the budget. */
export type BodyRead = { heldBytes: number } & (
  | { status: "read"; blocks: Uint8Array<ArrayBuffer>[] }
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
  const announcedBytes = Number(incoming.headers["content-length"] ?? 0);
  if (announcedBytes > limit) return { status: "too_large", heldBytes: 0 };
  const blocks = new BodyBlocks(budget, announcedBytes);
  const ended = (status: "too_large" | "no_room" | "aborted"): BodyRead => ({
    status,
    heldBytes: blocks.heldBytes,
  });
  // Better now than after half of it.
  if (!budget.hasRoom(announcedBytes)) return ended("no_room");
  let readBytes = 0;
  try {
    // What is refused in the middle can still be answered: the stream's own iterator would close the connection.
    const chunks = incoming.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      readBytes += chunk.length;
      if (readBytes > limit) return ended("too_large");
      if (!blocks.append(chunk)) return ended("no_room");
    }
  } catch {
    // The client went away or was too slow: there is nobody left to answer.
    return ended("aborted");
  }
  if (!incoming.complete) return ended("aborted");
  return { status: "read", blocks: blocks.finish(), heldBytes: blocks.heldBytes };
}
