import { diag } from "@opentelemetry/api";

/** Wraps work of ours that runs inside the host: a fault in it is a diagnostic, never the host's exception. */
export function guarded<A extends unknown[]>(work: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      work(...args);
    } catch (error) {
      diag.error(`agent-audit: an action could not be audited: ${String(error)}`);
    }
  };
}
