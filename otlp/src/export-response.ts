import { BackwardWriter } from "./backward-writer.js";

/** Names the two encodings of OTLP over HTTP. */
export type Encoding = "protobuf" | "json";

/** Says how many records of an accepted request were not kept, and why. */
export interface PartialSuccess {
  rejectedLogRecords: number;
  errorMessage: string;
}

const WIRE_BYTES = 2;
const PARTIAL_SUCCESS = (1 << 3) | WIRE_BYTES;
const REJECTED = 1 << 3;
const ERROR_MESSAGE = (2 << 3) | WIRE_BYTES;
const STATUS_CODE = 1 << 3;
const STATUS_MESSAGE = (2 << 3) | WIRE_BYTES;

/**
 * Writes an `ExportLogsServiceResponse`: nothing in protobuf and `{}` in JSON when all was kept.
 *
 * @see opentelemetry-proto `collector/logs/v1/logs_service.proto`
 */
export function writeExportResponse(partial: PartialSuccess | null, encoding: Encoding): Buffer {
  if (encoding === "json") {
    const body = partial && {
      partialSuccess: {
        rejectedLogRecords: String(partial.rejectedLogRecords),
        errorMessage: partial.errorMessage,
      },
    };
    return Buffer.from(JSON.stringify(body ?? {}));
  }
  const writer = new BackwardWriter();
  if (partial !== null) {
    writer.message(PARTIAL_SUCCESS, () => {
      writer.text(ERROR_MESSAGE, partial.errorMessage);
      writer.int(REJECTED, BigInt(partial.rejectedLogRecords));
    });
  }
  return writer.finish();
}

/** Writes a `google.rpc.Status`, the body of every refusal. */
export function writeStatus(code: number, message: string, encoding: Encoding): Buffer {
  if (encoding === "json") return Buffer.from(JSON.stringify({ code, message }));
  const writer = new BackwardWriter();
  writer.text(STATUS_MESSAGE, message);
  writer.int(STATUS_CODE, BigInt(code));
  return writer.finish();
}
