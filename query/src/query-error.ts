import { AuditError } from "@agent-audit/schema";

/** HTTP status of every code that an answer may carry; a code that is not here is a fault of ours. */
const STATUS_OF: Readonly<Record<string, 403 | 404 | 409 | 429 | 503>> = {
  wrong_scope: 403,
  not_found: 404,
  too_many_queries: 429,
  query_timeout: 503,
  // Nobody reads this answer.
  query_cancelled: 503,
  segment_rebuilding: 503,
  out_of_memory: 503,
  no_retention: 409,
  not_applied: 503,
  keys_unreadable: 503,
  event_not_recorded: 503,
  starting: 503,
  stopping: 503,
};

/** Reports a request that cannot be answered as it stands; the answer is 400. */
export class BadRequestError extends AuditError {
  constructor(code: string, message: string, hint: string) {
    super(code, message, hint);
    this.name = "BadRequestError";
  }
}

/** Gives the HTTP status for an error, or `null` when it is none that a client can act on. */
export function statusOf(error: unknown): 400 | 403 | 404 | 409 | 429 | 503 | null {
  if (error instanceof BadRequestError) return 400;
  if (error instanceof AuditError && error.code === "invalid_key") return 400;
  return error instanceof AuditError ? (STATUS_OF[error.code] ?? null) : null;
}
