/**
 * Reports a failure that somebody can act on. The message says what failed and on what, the hint what to
 * do; callers match on `code`, which stays the same across versions.
 */
export class AuditError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AuditError";
    this.code = code;
    this.hint = hint;
  }
}
