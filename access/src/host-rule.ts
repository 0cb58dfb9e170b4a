import { isLoopbackHostHeader, isLoopbackOrigin } from "./loopback.js";

/**
 * Says why a request to a keyless loopback listener must be refused, or `null`. A page on the web can make
 * its own name resolve to 127.0.0.1 and then read the trail; its `Host` or `Origin` gives it away: no browser
 * leaves `Host` out.
 */
export function foreignCaller(headers: {
  host: string | undefined;
  origin: string | undefined;
}): string | null {
  const { host, origin } = headers;
  if (host !== undefined && !isLoopbackHostHeader(host)) {
    return "the Host header does not name this machine; use 127.0.0.1 or localhost";
  }
  if (origin !== undefined && !isLoopbackOrigin(origin)) {
    return "requests from pages of other origins are refused";
  }
  return null;
}
