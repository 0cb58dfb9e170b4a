import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { cleanUp } from "../../../test/support/clean-up.js";
import { QueryClient } from "./index.js";

async function clientOf(answer: http.RequestListener): Promise<QueryClient> {
  const server = http.createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUp(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return new QueryClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

it("an answer that breaks off is none: the server is asked again", async () => {
  const client = await clientOf((_, response) => {
    response.writeHead(200, { "Content-Length": 1000 });
    response.write('{"events":[');
    setTimeout(() => response.destroy(), 50);
  });
  await expect(client.get("events")).rejects.toMatchObject({ code: "unreachable" });
});

it("neither is what a proxy says while the server starts again", async () => {
  const client = await clientOf((_, response) => response.writeHead(502).end("<html></html>"));
  await expect(client.get("events")).rejects.toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("answered 502 without JSON"),
  });
});

it("parameters that are too long are named", async () => {
  const client = await clientOf((_, response) => response.writeHead(431).end());
  await expect(client.get("events")).rejects.toMatchObject({
    hint: expect.stringContaining("too long"),
  });
});

it("what is no query API is not asked again", async () => {
  const client = await clientOf((_, response) => response.writeHead(200).end("<html></html>"));
  await expect(client.get("events")).rejects.toMatchObject({ code: "unreadable" });
});
