import type { IncomingMessage } from "node:http";

/** Reading costs little and keeps nothing, but whoever is refused must not have it for ever. */
const MAX_REST_BYTES = 64 * 1024 * 1024;
const MAX_REST_MILLIS = 10_000;

/**
 * Gives an answer that arrives although the body it refuses is still on its way. The answer goes out at once, and ends,
 * and the connection with it, when the rest has been read and thrown away: a socket that is closed over bytes that nobody
 * read is reset, and its client then reports that instead of the answer, and sends the same again.
 *
 * @param maxBytes of the rest that are read, default 64 MiB: beyond them the connection is closed
 * @param maxMillis for which they are read, default 10 s
 */
export function closeAfterBody(
  answer: Response,
  incoming: IncomingMessage,
  maxBytes = MAX_REST_BYTES,
  maxMillis = MAX_REST_MILLIS,
): Response {
  const rest = new TransformStream({ flush: () => discard(incoming, maxBytes, maxMillis) });
  const { status, headers } = answer;
  const closing = new Response(answer.body?.pipeThrough(rest) ?? null, { status, headers });
  closing.headers.set("Connection", "close");
  return closing;
}

function discard(incoming: IncomingMessage, maxBytes: number, maxMillis: number): Promise<void> {
  if (incoming.readableEnded || incoming.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let readBytes = 0;
    const end = () => {
      clearTimeout(timer);
      incoming.off("data", count).off("end", end).off("close", end);
      resolve();
    };
    const count = (chunk: Buffer) => {
      readBytes += chunk.length;
      if (readBytes > maxBytes) end();
    };
    const timer = setTimeout(end, maxMillis);
    incoming.on("data", count).on("end", end).on("close", end);
  });
}
