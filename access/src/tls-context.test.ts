import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { makeHttpServer } from "./http-listener.js";
import { checkTls } from "./tls-context.js";

const CERTIFICATES = fileURLToPath(new URL("../../test/support/certificates", import.meta.url));
const at = (name: string) => path.join(CERTIFICATES, name);
const sound = { cert_file: at("server.pem"), key_file: at("server.key") };
const ca = fs.readFileSync(at("ca.pem"), "utf8");

const withClientCa = (text: string) => {
  const client_ca_file = path.join(temporaryDirectory(), "clients.pem");
  fs.writeFileSync(client_ca_file, text);
  return { ...sound, client_ca_file };
};

afterEach(() => {
  vi.useRealTimers();
});

describe("checkTls", () => {
  it.each([
    ["one issuer", ca],
    ["two, with words around them", `first\n${ca}\nsecond\r\n${ca}`],
  ])("takes a client_ca_file of %s", (_, text) => {
    expect(() => checkTls(withClientCa(text))).not.toThrow();
  });

  it.each([
    ["nothing", "", /holds no certificate/],
    ["words", "no certificate", /holds no certificate/],
    ["a key", fs.readFileSync(at("client.key"), "utf8"), /holds no certificate/],
    ["a certificate that is cut off", ca.slice(0, 200), /cannot be used/],
    ["a sound one and a damaged one", `${ca}${ca.replace("MII", "XXX")}`, /cannot be used/],
  ])("refuses a client_ca_file of %s", (_, text, message) => {
    const expected = expect.objectContaining({
      code: "tls_unusable",
      message: expect.stringMatching(message),
    });
    expect(() => checkTls(withClientCa(text))).toThrow(expected);
    expect(() => makeHttpServer(() => new Response(), { tls: withClientCa(text) })).toThrow(
      expected,
    );
  });

  it.each([
    ["a file that is not there", { ...sound, cert_file: "/none.pem" }, /none.pem cannot be read/],
    ["another's key", { ...sound, key_file: at("client.key") }, /and its key cannot be used/],
  ])("refuses %s", (_, tls, message) => {
    expect(() => checkTls(tls)).toThrow(message);
  });
});

describe("makeHttpServer", () => {
  it("tells of new certificates that cannot be used, and keeps the old ones", () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const tls = withClientCa(ca);
    const faults: unknown[] = [];
    const server = makeHttpServer(
      () => new Response(),
      { tls },
      {},
      (fault) => faults.push(fault),
    );
    const replaced = vi.spyOn(server as never, "setSecureContext");
    fs.writeFileSync(tls.client_ca_file, "");
    fs.utimesSync(tls.client_ca_file, 1, 1);
    vi.advanceTimersByTime(10_000);
    expect(faults).toEqual([
      expect.objectContaining({
        code: "tls_unusable",
        message: expect.stringMatching(/holds no certificate; the certificates before stay in use/),
      }),
    ]);
    expect(replaced).not.toHaveBeenCalled();
    fs.writeFileSync(tls.client_ca_file, ca);
    vi.advanceTimersByTime(10_000);
    expect(faults.length).toBe(1);
    expect(replaced).toHaveBeenCalledOnce();
  });
});
