import type { KeyValue } from "@agent-audit/otlp";
import { ATTR_COST_AMOUNT, type Envelope, nanoFromAmount, toJson } from "@agent-audit/schema";
import type { DuckDBAppender, DuckDBType } from "@duckdb/node-api";
import {
  bigIntBuffer,
  byteBuffer,
  CHUNK_ROWS,
  type ColumnBuffer,
  IntegerBuffer,
  int32Buffer,
  MapBuffer,
  TextBuffer,
} from "./column-buffers.js";
import {
  COLUMN_NAMES,
  type ColumnName,
  FIELD_COLUMNS,
  type FieldColumn,
  type RowContext,
} from "./columns.js";
import { bindings, duckdb } from "./duckdb.js";

/** Text of one chunk: few rows with large content are handed over before many would fill the memory. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/** Turns envelopes into rows of the events table, a chunk at a time. */
export class RowWriter {
  readonly #seq = bigIntBuffer();
  readonly #time = bigIntBuffer();
  readonly #observedTime = bigIntBuffer();
  readonly #receivedTime = bigIntBuffer();
  readonly #duration = bigIntBuffer();
  readonly #cost = bigIntBuffer();
  readonly #id = new TextBuffer();
  readonly #keyId = new TextBuffer();
  readonly #redacted = new TextBuffer();
  readonly #resource = new TextBuffer();
  readonly #fields = FIELD_COLUMNS.map(fieldWriter);
  readonly #content = new TextBuffer();
  readonly #attributes = new MapBuffer();
  readonly #buffers: ColumnBuffer[] = [
    this.#seq,
    this.#time,
    this.#observedTime,
    this.#receivedTime,
    this.#duration,
    this.#cost,
    this.#id,
    this.#keyId,
    this.#redacted,
    this.#resource,
    ...this.#fields.map(({ buffer }) => buffer),
    this.#content,
    this.#attributes,
  ];
  readonly #appender: DuckDBAppender;
  readonly #types: DuckDBType[];
  readonly #filled = new Set<ColumnName>();
  #rows = 0;
  #minTime: bigint | null = null;
  #maxTime: bigint | null = null;

  constructor(appender: DuckDBAppender) {
    this.#appender = appender;
    this.#types = this.#buffers.map((_, index) => appender.columnType(index));
  }

  /** Least event time of all rows written; `null` for none. */
  get minTime(): bigint | null {
    return this.#minTime;
  }

  get maxTime(): bigint | null {
    return this.#maxTime;
  }

  /** Columns in which any row that was handed over holds something. */
  get filled(): ReadonlySet<ColumnName> {
    return this.#filled;
  }

  write(envelope: Envelope, context: RowContext): void {
    const row = this.#rows;
    this.#seq.set(row, context.seq);
    const time = envelope.timeSource === "received" ? context.receivedNano : envelope.time;
    this.#time.set(row, time);
    if (this.#minTime === null || time < this.#minTime) this.#minTime = time;
    if (this.#maxTime === null || time > this.#maxTime) this.#maxTime = time;
    if (envelope.observedTime !== null) this.#observedTime.set(row, envelope.observedTime);
    this.#receivedTime.set(row, context.receivedNano);
    if (envelope.duration !== null) this.#duration.set(row, envelope.duration);
    this.#id.set(row, envelope.id ?? `${context.storeId}-${context.seq}`);
    if (context.keyId !== "") this.#keyId.set(row, context.keyId);
    if (envelope.redacted !== null) this.#redacted.set(row, JSON.stringify(envelope.redacted));
    if (context.resourceJson !== null) this.#resource.set(row, context.resourceJson);
    const isCostExact = this.#setCost(row, envelope.costAmount);
    for (const { set } of this.#fields) set(row, envelope);
    if (envelope.content.length > 0) this.#content.set(row, jsonObject(envelope.content));
    const inexact = isCostExact ? [] : [{ key: ATTR_COST_AMOUNT, value: envelope.costAmount }];
    this.#setAttributes(row, [...inexact, ...envelope.metadata]);
    this.#rows = row + 1;
    if (this.#rows === CHUNK_ROWS || this.#textBytes() > MAX_TEXT_BYTES) this.flush();
  }

  /**
   * Hands what is collected to the appender, and the appender's to the transaction: left to its end, a large batch was taken in
   * at one go of half a second.
   */
  flush(): void {
    if (this.#rows === 0) return;
    const chunk = duckdb.DuckDBDataChunk.create(this.#types, this.#rows);
    this.#buffers.forEach((buffer, column) => {
      if (buffer.isFilled) this.#filled.add(COLUMN_NAMES[column] as ColumnName);
      buffer.flush(bindings.data_chunk_get_vector(chunk.chunk, column), this.#rows);
    });
    this.#appender.appendDataChunk(chunk);
    this.#appender.flushSync();
    this.#rows = 0;
  }

  /** Text that waits for the next chunk. */
  #textBytes(): number {
    let sum = 0;
    for (const buffer of this.#buffers) sum += buffer.textBytes;
    return sum;
  }

  /** Stores a price in billionths; one that they cannot hold exactly stays among the attributes too. */
  #setCost(row: number, amount: number | null): boolean {
    if (amount === null) return true;
    const nano = nanoFromAmount(amount);
    if (nano !== null) this.#cost.set(row, nano);
    return nano !== null && Number(nano) / 1e9 === amount;
  }

  /** Keys are unique in a map: of equal keys the first stays; the journal has them all. */
  #setAttributes(row: number, metadata: readonly KeyValue[]): void {
    const seen = new Set<string>();
    for (const { key, value } of metadata) {
      if (seen.has(key)) continue;
      seen.add(key);
      this.#attributes.add(key, JSON.stringify(toJson(value)));
    }
    this.#attributes.endRow(row);
  }
}

interface FieldWriter {
  buffer: ColumnBuffer;
  set: (row: number, envelope: Envelope) => void;
}

function fieldWriter(column: FieldColumn): FieldWriter {
  const { field } = column;
  switch (column.type) {
    case "VARCHAR": {
      const buffer = new TextBuffer();
      return writerOf(buffer, field, (row, value) => buffer.set(row, value as string));
    }
    case "BIGINT": {
      const buffer = new IntegerBuffer();
      return writerOf(buffer, field, (row, value) => buffer.set(row, value as number));
    }
    case "INTEGER": {
      const buffer = int32Buffer();
      return writerOf(buffer, field, (row, value) => buffer.set(row, value as number));
    }
    case "BOOLEAN": {
      const buffer = byteBuffer();
      return writerOf(buffer, field, (row, value) => buffer.set(row, value === true ? 1 : 0));
    }
    case "ENUM": {
      const buffer = byteBuffer();
      const { values } = column;
      return writerOf(buffer, field, (row, value) =>
        buffer.set(row, values.indexOf(String(value))),
      );
    }
    default:
      return column.type satisfies never;
  }
}

function writerOf(
  buffer: ColumnBuffer,
  field: keyof Envelope,
  set: (row: number, value: unknown) => void,
): FieldWriter {
  return {
    buffer,
    set: (row, envelope) => {
      const value = envelope[field];
      if (value !== null) set(row, value);
    },
  };
}

/** Writes attributes as a JSON object; of equal keys the first stays. */
export function jsonObject(pairs: readonly KeyValue[]): string {
  return JSON.stringify(toJson({ values: [...pairs] }));
}
