import net from "node:net";

export interface Sending {
  headers?: Record<string, string>;
  /** Whether it announces no length. */
  isChunked?: boolean;
  /** Whether it reads nothing before it has written all, as blocking clients do. */
  readsLate?: boolean;
}

/** Sends a body over a connection of its own and gives all that came back, once the server has closed it. */
export async function answerTo(url: string, body: Uint8Array, sending: Sending): Promise<string> {
  const { headers = {}, isChunked = false, readsLate = false } = sending;
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname).on("error", () => {});
  const closed = new Promise((resolve) => socket.on("close", resolve));
  let answer = "";
  if (!readsLate) socket.on("data", (chunk) => (answer += chunk));
  const head = Object.entries({
    Host: hostname,
    "Content-Type": "application/json",
    ...(isChunked ? { "Transfer-Encoding": "chunked" } : { "Content-Length": String(body.length) }),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /v1/logs HTTP/1.1\r\n${head.join("")}\r\n`);
  if (isChunked) socket.write(`${body.length.toString(16)}\r\n`);
  socket.write(body);
  const written = new Promise((resolve) => socket.write(isChunked ? "\r\n0\r\n\r\n" : "", resolve));
  // Where it is cut off instead, the answer tells.
  await Promise.race([written, closed]);
  if (readsLate) socket.on("data", (chunk) => (answer += chunk));
  await closed;
  return answer;
}
