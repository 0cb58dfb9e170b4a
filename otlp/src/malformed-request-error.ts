/** Records that one request may hold: far above every sender's batch, and a bound to what a few bytes can ask for. */
export const MAX_RECORDS = 262_144;

/** Says why one record cannot be kept, in a word that does not change: counters are named by it. */
export type RecordFaultCode = "malformed_record" | "nesting_too_deep";

type MalformedCode = "malformed_protobuf" | "malformed_json" | "too_many_records";

/** Reports a body that is not an OTLP logs request at all; the receiver answers 400, or 413 for too many records. */
export class MalformedRequestError extends Error {
  /** Stable. */
  readonly code: MalformedCode;
  /** Byte (protobuf) or UTF-16 unit (JSON) at which reading stopped. */
  readonly offset: number;

  constructor(code: MalformedCode, message: string, offset: number, options?: ErrorOptions) {
    super(`${message} at offset ${offset}`, options);
    this.name = "MalformedRequestError";
    this.code = code;
    this.offset = offset;
  }
}

/** Refuses the record after the last that a request may hold. */
export function checkRecordCount(count: number, offset: number): void {
  if (count <= MAX_RECORDS) return;
  const message = `more than ${MAX_RECORDS} records in one request; send smaller batches`;
  throw new MalformedRequestError("too_many_records", message, offset);
}
