import http from "node:http";
import type { AddressInfo } from "node:net";
import { cleanUp } from "./clean-up.js";

/** Takes exports, or refuses them, and keeps their bodies. */
export async function otlpSink({ status = 200, answer = {} } = {}) {
  const bodies: string[] = [];
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    response.writeHead(status).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp(() => new Promise((resolve) => server.close(resolve)));
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
