/** Reports a body that is not an OTLP logs request at all; the receiver answers 400. */
export class MalformedRequestError extends Error {
  /** Stable: `malformed_protobuf` or `malformed_json`. */
  readonly code: "malformed_protobuf" | "malformed_json";
  /** Byte (protobuf) or UTF-16 unit (JSON) at which reading stopped. */
  readonly offset: number;

  constructor(
    code: "malformed_protobuf" | "malformed_json",
    message: string,
    offset: number,
    options?: ErrorOptions,
  ) {
    super(`${message} at offset ${offset}`, options);
    this.name = "MalformedRequestError";
    this.code = code;
    this.offset = offset;
  }
}
