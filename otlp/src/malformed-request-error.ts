/** Records that one request may hold: far above every sender's batch, and a bound to what a few bytes can ask for. */
export const MAX_RECORDS = 262_144;

/**
 * Groups, records, attributes and list values that a request may hold together to be accepted. Two bytes ask for each, and it
 * takes a hundred to hold one: what fills 64 MiB with them would be acknowledged, and then end every process that reads it.
 */
export const MAX_ELEMENTS = 2_097_152;
/** The same for what was accepted by whatever version: beyond it there is no memory. */
export const MAX_READABLE_ELEMENTS = 4 * MAX_ELEMENTS;

/** Says why one record cannot be kept, in a word that does not change: counters are named by it. */
export type RecordFaultCode = "malformed_record" | "nesting_too_deep";

type MalformedCode =
  | "malformed_protobuf"
  | "malformed_json"
  | "too_many_records"
  | "too_many_elements";

/** Reports a body that is not an OTLP logs request at all; the receiver answers 400, or 413 for too many of something. */
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

/** Refuses the element after the last that a request may hold. */
export function checkElementCount(count: number, max: number, offset: number): void {
  if (count <= max) return;
  const message = `more than ${max} groups, records, attributes and list values in one request; send smaller batches`;
  throw new MalformedRequestError("too_many_elements", message, offset);
}
