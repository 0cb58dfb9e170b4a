import { AuditError } from "@agent-audit/schema";
import { isLoopbackHost } from "./loopback.js";

/** Says where a listener listens. Port 0 takes a free one. */
export interface ListenAddress {
  host: string;
  port: number;
}

/** Reads `HOST:PORT`, `[IPv6]:PORT` or `PORT`. @throws AuditError `invalid_address` */
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
  return { host: (match[1] ?? "127.0.0.1").replace(/^\[(.*)\]$/, "$1"), port };
}

/** What protects a listener that others can reach. */
export interface Protection {
  hasKeys: boolean;
  /** Whether the listener speaks TLS, or a proxy in front of it does. */
  hasTls: boolean;
  /** Whether a proxy in front brings callers from elsewhere, who then seem to be on this machine. */
  isBehindProxy: boolean;
}

/**
 * Refuses an address that others could reach without a key, or listen in on.
 *
 * @throws AuditError `listen_not_loopback`
 */
export function checkExposure(
  { host }: ListenAddress,
  { hasKeys, hasTls, isBehindProxy }: Protection,
): void {
  if (isLoopbackHost(host) && !isBehindProxy) return;
  const lacks = [...(hasKeys ? [] : ["keys"]), ...(hasTls ? [] : ["TLS"])];
  if (lacks.length === 0) return;
  const remedies = [
    ...(hasKeys ? [] : ["make keys with `agent-audit keys create`"]),
    ...(hasTls ? [] : ["set tls, or behind_tls_proxy: true if a proxy in front speaks TLS"]),
    // A proxy's callers need keys there, too.
    ...(isBehindProxy ? [] : ["or listen on 127.0.0.1"]),
    ...(isBehindProxy && isLoopbackHost(host)
      ? ["or leave behind_tls_proxy out if no proxy is in front"]
      : []),
  ];
  throw new AuditError(
    "listen_not_loopback",
    `refusing to listen on ${host} without ${lacks.join(" and ")}: others could read or write the trail`,
    remedies.join("; "),
  );
}
