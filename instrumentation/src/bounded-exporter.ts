import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import type { LogRecordExporter, ReadableLogRecord } from "@opentelemetry/sdk-logs";

/** Text of one export, about: a receiver that refuses a larger body would cost all records in it. */
const MAX_EXPORT_TEXT = 4 * 1024 * 1024;

/** Hands batches on in parts of bounded size: the SDK bounds them by number only. */
export class BoundedExporter implements LogRecordExporter {
  readonly #inner: LogRecordExporter;

  constructor(inner: LogRecordExporter) {
    this.#inner = inner;
  }

  export(records: ReadableLogRecord[], onResult: (result: ExportResult) => void): void {
    this.#exportAll(parts(records)).then(onResult, (error: Error) =>
      onResult({ code: ExportResultCode.FAILED, error }),
    );
  }

  async forceFlush(): Promise<void> {
    await this.#inner.forceFlush?.();
  }

  async shutdown(): Promise<void> {
    await this.#inner.shutdown();
  }

  /** A part that fails does not keep the others from being sent. */
  async #exportAll(parts: Iterable<ReadableLogRecord[]>): Promise<ExportResult> {
    let result: ExportResult = { code: ExportResultCode.SUCCESS };
    for (const part of parts) {
      const own = await new Promise<ExportResult>((resolve) => this.#inner.export(part, resolve));
      if (own.code !== ExportResultCode.SUCCESS) result = own;
    }
    return result;
  }
}

function* parts(records: readonly ReadableLogRecord[]): Generator<ReadableLogRecord[]> {
  let part: ReadableLogRecord[] = [];
  let length = 0;
  for (const record of records) {
    const own = textOf(record.body) + textOf(record.attributes);
    if (part.length > 0 && length + own > MAX_EXPORT_TEXT) {
      yield part;
      part = [];
      length = 0;
    }
    part.push(record);
    length += own;
  }
  if (part.length > 0) yield part;
}

function textOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  if (value instanceof Uint8Array) return value.length;
  let length = 0;
  for (const inner of Object.values(value)) length += textOf(inner);
  return length;
}
