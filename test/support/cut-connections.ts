import net from "node:net";
import { expect } from "vitest";
import { cleanUp } from "./clean-up.js";
import { Ledger } from "./ledger.js";
import type { startServer } from "./start-server.js";

/** Every third answer does not arrive: the server has stored, the client does not know. */
const CUT_EVERY = 3;

/** Sends requests through connections that are cut after storing, each again until it is acknowledged; then compares. */
export async function cutConnections(
  server: Awaited<ReturnType<typeof startServer>>,
  requests: number,
): Promise<void> {
  const proxy = await cuttingProxy(Number(new URL(server.otlpUrl).port));
  const url = `http://127.0.0.1:${proxy.port}/v1/logs`;
  const ledger = new Ledger();
  for (let i = 0; i < requests; i++) {
    const ids = ledger.issue(4);
    while ((await ledger.send(url, ids)) !== 200);
  }
  expect(proxy.cuts()).toBeGreaterThan(requests / CUT_EVERY / 2);
  await ledger.compare(server);
}

async function cuttingProxy(target: number) {
  let answers = 0;
  let cuts = 0;
  const proxy = net.createServer((client) => {
    const upstream = net.connect(target, "127.0.0.1");
    client.pipe(upstream);
    upstream.on("data", (chunk) => {
      answers++;
      if (answers % CUT_EVERY !== 0) {
        client.write(chunk);
        return;
      }
      cuts++;
      client.destroy();
      upstream.destroy();
    });
    for (const socket of [client, upstream]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  cleanUp(() => proxy.close());
  return { port: (proxy.address() as net.AddressInfo).port, cuts: () => cuts };
}
