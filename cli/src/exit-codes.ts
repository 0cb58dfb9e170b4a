import { AuditError } from "@agent-audit/schema";

export const EXIT_FAILED = 1;
/** Wrong usage or configuration. */
export const EXIT_USAGE = 2;
/** Try again: the server cannot be reached, or ended so that its next start can recover. */
export const EXIT_TRY_AGAIN = 75;

const USAGE_CODES = new Set([
  "invalid_config",
  "invalid_address",
  "listen_not_loopback",
  "invalid_filter",
  "unknown_parameter",
  "cursor_mismatch",
  "too_many_buckets",
  "tls_unusable",
]);
const TRY_AGAIN_CODES = new Set([
  "unreachable",
  "starting",
  "segment_rebuilding",
  "out_of_memory",
  "too_many_queries",
  "not_applied",
  "query_timeout",
  "stopping",
  "engine_error",
  "journal_failed",
  "event_not_recorded",
]);

/** Gives the exit code for an error. */
export function exitCodeFor(error: unknown): number {
  if (!(error instanceof AuditError)) return EXIT_FAILED;
  if (USAGE_CODES.has(error.code) || error.code.startsWith("invalid_")) return EXIT_USAGE;
  return TRY_AGAIN_CODES.has(error.code) ? EXIT_TRY_AGAIN : EXIT_FAILED;
}
