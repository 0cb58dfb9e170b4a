import { AuditError } from "@agent-audit/schema";
import { isLoopbackHost } from "./loopback.js";

/** Says where a listener listens. Port 0 takes a free one. */
export interface ListenAddress {
  host: string;
  port: number;
}

/**
 * Reads `HOST:PORT`, `[IPv6]:PORT` or `PORT`.
 *
 * @throws AuditError `invalid_address`; `listen_not_loopback` for an address that others could reach:
 *   without keys and TLS the server listens on loopback only
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:(\[[^\]]+\]|[^:]+):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new AuditError(
      "invalid_address",
      `${JSON.stringify(text)} is not HOST:PORT`,
      "write it like 127.0.0.1:4318; port 0 takes a free one",
    );
  }
  const host = (match[1] ?? "127.0.0.1").replace(/^\[(.*)\]$/, "$1");
  if (!isLoopbackHost(host)) {
    throw new AuditError(
      "listen_not_loopback",
      `refusing to listen on ${host}: this version has no keys, so others could read the trail`,
      "listen on 127.0.0.1 and put an authenticating TLS proxy in front",
    );
  }
  return { host, port };
}
