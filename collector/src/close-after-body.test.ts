import http from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { answerTo } from "../../test/support/answer-to.js";
import { cleanUp } from "../../test/support/clean-up.js";
import { closeAfterBody } from "./close-after-body.js";

const MIB = 1024 * 1024;

async function serve(maxBytes: number, maxMillis: number) {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.post("*", (c) =>
    closeAfterBody(new Response("no", { status: 413 }), c.env.incoming, maxBytes, maxMillis),
  );
  const server = createAdaptorServer({ fetch: app.fetch }) as http.Server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp(() => server.closeAllConnections());
  cleanUp(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends without end; gives the status, and what had been sent when the connection was closed. */
async function sendForEver(url: string, chunkBytes: number, pauseMillis: number) {
  let status: number | undefined;
  let sentBytes = 0;
  const request = http.request(url, { method: "POST", agent: false });
  request.on("response", (response) => {
    status = response.resume().statusCode;
  });
  request.on("error", () => {});
  const timer = setInterval(() => {
    if (request.writableNeedDrain) return;
    sentBytes += chunkBytes;
    request.write(Buffer.alloc(chunkBytes));
  }, pauseMillis);
  await new Promise((resolve) => request.on("close", resolve));
  clearInterval(timer);
  return { status, sentBytes };
}

describe("closeAfterBody", () => {
  it.each([
    ["while it is sent", false],
    ["after it was sent", true],
  ])("answers whoever reads %s", async (_, readsLate) => {
    const url = await serve(64 * MIB, 60_000);
    const answer = await answerTo(url, Buffer.alloc(8 * MIB), { readsLate });
    expect(answer).toMatch(/^HTTP\/1.1 413 .*connection: close.*no/is);
  });

  it("reads no more than its bytes of a body without end", async () => {
    const { status, sentBytes } = await sendForEver(await serve(MIB, 60_000), MIB, 1);
    expect(status).toBe(413);
    expect(sentBytes).toBeLessThan(64 * MIB);
  });

  it("waits no longer than its time for a body that trickles", async () => {
    const { status } = await sendForEver(await serve(64 * MIB, 200), 1, 20);
    expect(status).toBe(413);
  });

  it("ends with a client that goes away", async () => {
    const url = await serve(64 * MIB, 60_000);
    const request = http.request(url, { method: "POST", agent: false });
    request.on("error", () => {});
    request.flushHeaders();
    await new Promise((resolve) => request.on("response", resolve));
    request.destroy();
    expect((await answerTo(url, Buffer.alloc(1), {})).split(" ", 2)[1]).toBe("413");
  });
});
