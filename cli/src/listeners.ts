import {
  checkExposure,
  checkTls,
  keyFile,
  type ListenAddress,
  parseListenAddress,
  readKeys,
} from "@agent-audit/access";
import { AuditError } from "@agent-audit/schema";
import type { ServerConfig } from "./server-config.js";

/** Where the server listens. */
export interface Listeners {
  otlp: ListenAddress;
  http: ListenAddress;
}

/**
 * Checks what the configuration says of the listeners.
 *
 * @param onFault takes each fault; default: throws the first
 * @throws AuditError `invalid_address`, `listen_not_loopback`, `tls_unusable`, or of the file of keys
 */
export function checkListeners(
  { data, otlp, http }: ServerConfig,
  onFault: (fault: AuditError) => void = (fault) => {
    throw fault;
  },
): Listeners {
  const check = <T>(action: () => T, otherwise: T): T => {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
      onFault(error);
      return otherwise;
    }
  };
  const hasKeys = check(() => readKeys(keyFile(data)).length > 0, true);
  const listeners = {
    otlp: parseListenAddress(otlp.listen),
    http: parseListenAddress(http.listen),
  };
  const { host, port } = listeners.otlp;
  if (port !== 0 && listeners.http.port === port && listeners.http.host === host) {
    const message = `otlp.listen and http.listen are both ${otlp.listen}`;
    onFault(new AuditError("invalid_address", message, "give each a port of its own"));
  }
  for (const [address, { tls, behind_tls_proxy: isBehindProxy }] of [
    [listeners.otlp, otlp],
    [listeners.http, http],
  ] as const) {
    const hasTls = tls !== undefined || isBehindProxy;
    check(() => checkExposure(address, { hasKeys, hasTls, isBehindProxy }), undefined);
    if (tls !== undefined) check(() => checkTls(tls), undefined);
  }
  return listeners;
}
