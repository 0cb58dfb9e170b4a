import { isIP } from "node:net";

/** Tells whether a host name or address can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (name === "localhost" || name === "::1" || name === "0:0:0:0:0:0:0:1") return true;
  return isIP(name) === 4 && name.startsWith("127.");
}

/** Tells whether a `Host` header (`host` or `host:port`) names this machine. */
export function isLoopbackHostHeader(header: string): boolean {
  return isLoopbackHost(header.replace(/:\d+$/, ""));
}

/** Tells whether an `Origin` header is a page of this machine; `null` origins are not. */
export function isLoopbackOrigin(header: string): boolean {
  return URL.canParse(header) && isLoopbackHost(new URL(header).hostname);
}
