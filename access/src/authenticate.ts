import { foreignCaller } from "./host-rule.js";
import type { KeySet } from "./key-ring.js";
import type { Key, Scope } from "./keys.js";

/** What a request says of its sender. */
export interface CallerHeaders {
  host?: string | undefined;
  origin?: string | undefined;
  authorization?: string | undefined;
}

/** Whether a request is let in. */
export type Access =
  /** `key` is `null` where there are no keys: then every caller on this machine is. */
  | { isGranted: true; key: Key | null }
  | { isGranted: false; httpStatus: 401 | 403 | 503; code: string; reason: string; hint: string };

/** Sent with every 401. */
export const WWW_AUTHENTICATE = 'Bearer realm="agent-audit"';

const MAKE_ONE = "agent-audit keys create makes one";

/**
 * Decides about a request. Without keys, callers on this machine are let in, and pages of other origins are not.
 *
 * @param scopes any of these is enough
 * @param trustsLoopback whether callers must be on this machine: no other address, no proxy in front
 */
export function authenticate(
  keys: KeySet,
  { host, origin, authorization }: CallerHeaders,
  scopes: readonly Scope[],
  trustsLoopback: boolean,
): Access {
  if (!keys.isNeeded && trustsLoopback) return authenticateLocal({ host, origin });
  // Never 401 for a fault of the server's: clients would throw away what they have.
  const { error } = keys;
  if (error !== null) {
    return refused(503, error.code, "the server's keys cannot be used", error.hint);
  }
  const text = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (text === undefined) {
    return refused(
      401,
      "no_key",
      "this server needs a key: Authorization: Bearer <key>",
      `send the header, or set AGENT_AUDIT_API_KEY for the commands; ${MAKE_ONE}`,
    );
  }
  const key = keys.find(text);
  if (key === null) {
    return refused(401, "wrong_key", "the key is unknown or revoked", MAKE_ONE);
  }
  if (!scopes.includes(key.scope)) {
    return refused(
      403,
      "wrong_scope",
      `the key is for ${key.scope}; this needs ${scopes.join(" or ")}`,
      MAKE_ONE,
    );
  }
  return { isGranted: true, key };
}

/** Decides about a request that needs no key because only this machine can send it. */
export function authenticateLocal({ host, origin }: CallerHeaders): Access {
  const reason = foreignCaller({ host, origin });
  if (reason === null) return { isGranted: true, key: null };
  return refused(403, "foreign_caller", reason, "ask from this machine");
}

function refused(httpStatus: 401 | 403 | 503, code: string, reason: string, hint: string): Access {
  return { isGranted: false, httpStatus, code, reason, hint };
}
