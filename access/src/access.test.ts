import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { foreignCaller } from "./host-rule.js";
import { listen, makeHttpServer } from "./http-listener.js";
import { checkExposure, parseListenAddress } from "./listen-address.js";

describe("makeHttpServer", () => {
  it("closes connections beyond its limit, and serves the others", async () => {
    const options = { maxConnections: 2 };
    const server = makeHttpServer(() => new Response("ok"), options);
    await listen(server, { host: "127.0.0.1", port: 0 }, "--http");
    const { port } = server.address() as AddressInfo;
    const connect = async () => {
      const socket = net.connect(port, "127.0.0.1").on("error", () => {});
      await once(socket, "connect");
      return socket;
    };
    const kept = [await connect(), await connect()];
    const refused = await connect();
    refused.resume();
    await once(refused, "close");
    for (const socket of kept) {
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 200/);
      socket.destroy();
    }
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("makeHttpServer, asked without a Host", () => {
  const answerTo = async (text: string) => {
    const hosts: unknown[] = [];
    const server = makeHttpServer((_, { incoming }) => {
      hosts.push(incoming.headers.host);
      return new Response("ok");
    }, {});
    await listen(server, { host: "127.0.0.1", port: 0 }, "--http");
    const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(text);
    let answer = "";
    for await (const chunk of socket) answer += chunk;
    await new Promise((resolve) => server.close(resolve));
    return { status: answer.split(" ", 2)[1], hosts };
  };

  it("answers over HTTP/1.0, as to health probes, and makes up none", async () => {
    expect(await answerTo("GET /healthz HTTP/1.0\r\n\r\n")).toEqual({
      status: "200",
      hosts: [undefined],
    });
  });

  it("leaves an empty one to whoever looks at it", async () => {
    expect(await answerTo("GET /healthz HTTP/1.0\r\nHost:\r\n\r\n")).toEqual({
      status: "200",
      hosts: [""],
    });
  });

  it("refuses HTTP/1.1, which must have one", async () => {
    const text = "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n";
    expect(await answerTo(text)).toEqual({ status: "400", hosts: [] });
  });
});

describe("foreignCaller", () => {
  it.each([
    ["127.0.0.1:4318", undefined],
    ["localhost", undefined],
    ["[::1]:4318", "http://localhost:8318"],
    ["LOCALHOST:1", "http://127.0.0.1:5173"],
    [undefined, undefined],
  ])("lets in Host %s with Origin %s", (host, origin) => {
    expect(foreignCaller({ host, origin })).toBeNull();
  });

  it.each([
    ["evil.example", undefined],
    ["", undefined],
    ["127.0.0.1.evil.example:4318", undefined],
    ["localhost.evil.example", undefined],
    ["10.0.0.1", undefined],
    ["localhost", "https://evil.example"],
    ["localhost", "null"],
  ])("refuses Host %s with Origin %s", (host, origin) => {
    expect(foreignCaller({ host, origin })).not.toBeNull();
  });
});

describe("parseListenAddress", () => {
  it.each([
    ["127.0.0.1:4318", "127.0.0.1", 4318],
    ["localhost:0", "localhost", 0],
    ["[::1]:4318", "::1", 4318],
    ["8318", "127.0.0.1", 8318],
  ])("reads %s", (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
  });

  it.each([
    ["127.0.0.1", "invalid_address"],
    ["127.0.0.1:99999", "invalid_address"],
    ["", "invalid_address"],
  ])("refuses %s", (text, code) => {
    expect(() => parseListenAddress(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe("checkExposure", () => {
  const open = { hasKeys: false, hasTls: false, isBehindProxy: false };

  it.each(["127.0.0.1", "localhost", "::1"])("lets %s be open", (host) => {
    expect(() => checkExposure({ host, port: 1 }, open)).not.toThrow();
  });

  it.each(["0.0.0.0", "::", "example.com", "10.0.0.1"])("wants keys and TLS at %s", (host) => {
    const check = (change: Partial<typeof open>) => () =>
      checkExposure({ host, port: 1 }, { ...open, ...change });
    expect(check({})).toThrow(/without keys and TLS/);
    expect(check({ hasKeys: true })).toThrow(/without TLS/);
    expect(check({ hasTls: true })).toThrow(/without keys/);
    expect(check({ hasKeys: true, hasTls: true })).not.toThrow();
  });

  const keys = "make keys with `agent-audit keys create`";
  const tls = "set tls, or behind_tls_proxy: true if a proxy in front speaks TLS";
  it.each([
    ["0.0.0.0", open, `${keys}; ${tls}; or listen on 127.0.0.1`],
    ["0.0.0.0", { ...open, hasTls: true }, `${keys}; or listen on 127.0.0.1`],
    ["0.0.0.0", { ...open, hasKeys: true }, `${tls}; or listen on 127.0.0.1`],
    ["0.0.0.0", { ...open, hasTls: true, isBehindProxy: true }, keys],
    [
      "127.0.0.1",
      { ...open, hasTls: true, isBehindProxy: true },
      `${keys}; or leave behind_tls_proxy out if no proxy is in front`,
    ],
  ])("says how %s can be listened on with %o", (host, protection, hint) => {
    expect(() => checkExposure({ host, port: 1 }, protection)).toThrow(
      expect.objectContaining({ hint }),
    );
  });

  it("wants keys behind a proxy, whose callers all seem to be on this machine", () => {
    const address = { host: "127.0.0.1", port: 1 };
    const proxied = { hasKeys: false, hasTls: true, isBehindProxy: true };
    expect(() => checkExposure(address, proxied)).toThrow(/without keys/);
    expect(() => checkExposure(address, { ...proxied, hasKeys: true })).not.toThrow();
  });
});
