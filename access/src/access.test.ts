import { describe, expect, it } from "vitest";
import { foreignCaller } from "./host-rule.js";
import { parseListenAddress } from "./listen-address.js";

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
    ["0.0.0.0:4318", "listen_not_loopback"],
    ["example.com:4318", "listen_not_loopback"],
    ["[::]:4318", "listen_not_loopback"],
    ["127.0.0.1", "invalid_address"],
    ["127.0.0.1:99999", "invalid_address"],
    ["", "invalid_address"],
  ])("refuses %s", (text, code) => {
    expect(() => parseListenAddress(text)).toThrow(expect.objectContaining({ code }));
  });
});
