import duckdb from "@duckdb/node-bindings";

/** Rows of one DuckDB data chunk. */
export const CHUNK_ROWS = 2048;

const INLINE_BYTES = 12;
const STRING_BYTES = 16;

/**
 * Collects one column of a chunk and hands it to DuckDB in as few native calls as possible. Rows that
 * are not set are NULL. The stock vectors of the DuckDB package write the same memory, but their null
 * bitmap costs a bigint operation per cell; on 60 columns that was most of the time of an append.
 */
export abstract class ColumnBuffer {
  protected validity: Uint8Array;
  protected setCount = 0;

  constructor(protected capacity: number) {
    this.validity = new Uint8Array(capacity / 8);
  }

  /** Writes the first `rows` rows into `vector` and forgets them. */
  flush(vector: duckdb.Vector, rows: number): void {
    if (this.setCount > 0) this.writeData(vector, rows);
    if (this.setCount < rows) {
      duckdb.vector_ensure_validity_writable(vector);
      const bytes = Math.ceil(rows / 64) * 8;
      duckdb.copy_data_to_vector_validity(vector, 0, this.validity.buffer as ArrayBuffer, 0, bytes);
    }
    this.validity.fill(0);
    this.setCount = 0;
  }

  protected mark(row: number): void {
    (this.validity[row >> 3] as number) |= 1 << (row & 7);
    this.setCount++;
  }

  protected abstract writeData(vector: duckdb.Vector, rows: number): void;
}

/** Holds VARCHAR cells: short ASCII is written as DuckDB lays it out, the rest goes through one call each. */
export class TextBuffer extends ColumnBuffer {
  #inline: Buffer;
  #long: { row: number; text: string }[] = [];

  constructor(capacity = CHUNK_ROWS) {
    super(capacity);
    this.#inline = Buffer.alloc(capacity * STRING_BYTES);
  }

  set(row: number, text: string): void {
    if (row >= this.capacity) this.#grow();
    this.mark(row);
    if (!this.#setInline(row, text)) this.#long.push({ row, text });
  }

  protected writeData(vector: duckdb.Vector, rows: number): void {
    const bytes = rows * STRING_BYTES;
    const { buffer, byteOffset } = this.#inline;
    duckdb.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, byteOffset, bytes);
    for (const { row, text } of this.#long) {
      // The plain call takes a C string, which a NUL would end.
      if (text.includes("\0")) {
        duckdb.vector_assign_string_element_len(vector, row, Buffer.from(text));
      } else {
        duckdb.vector_assign_string_element(vector, row, text);
      }
    }
    this.#long = [];
    this.#inline.fill(0, 0, bytes);
  }

  #setInline(row: number, text: string): boolean {
    const { length } = text;
    if (length > INLINE_BYTES) return false;
    const start = row * STRING_BYTES;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#inline.fill(0, start, start + STRING_BYTES);
        return false;
      }
      this.#inline[start + 4 + i] = code;
    }
    this.#inline[start] = length;
    return true;
  }

  #grow(): void {
    this.capacity *= 2;
    const validity = new Uint8Array(this.capacity / 8);
    validity.set(this.validity);
    this.validity = validity;
    const inline = Buffer.alloc(this.capacity * STRING_BYTES);
    this.#inline.copy(inline);
    this.#inline = inline;
  }
}

/** Holds BIGINT cells, given as safe integers. */
export class IntegerBuffer extends ColumnBuffer {
  readonly #words = new Int32Array(CHUNK_ROWS * 2);

  constructor() {
    super(CHUNK_ROWS);
  }

  set(row: number, value: number): void {
    this.mark(row);
    this.#words[row * 2] = value | 0;
    this.#words[row * 2 + 1] = Math.floor(value / 0x1_0000_0000);
  }

  protected writeData(vector: duckdb.Vector, rows: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#words.buffer as ArrayBuffer, 0, rows * 8);
  }
}

/** Holds BIGINT or UBIGINT cells, given as bigints; both have the same bytes. */
export class BigIntBuffer extends ColumnBuffer {
  readonly #items = new BigInt64Array(CHUNK_ROWS);

  constructor() {
    super(CHUNK_ROWS);
  }

  set(row: number, value: bigint): void {
    this.mark(row);
    this.#items[row] = value;
  }

  protected writeData(vector: duckdb.Vector, rows: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#items.buffer as ArrayBuffer, 0, rows * 8);
  }
}

/** Holds INTEGER cells. */
export class Int32Buffer extends ColumnBuffer {
  readonly #items = new Int32Array(CHUNK_ROWS);

  constructor() {
    super(CHUNK_ROWS);
  }

  set(row: number, value: number): void {
    this.mark(row);
    this.#items[row] = value;
  }

  protected writeData(vector: duckdb.Vector, rows: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#items.buffer as ArrayBuffer, 0, rows * 4);
  }
}

/** Holds BOOLEAN cells, and ENUM cells by their index. */
export class ByteBuffer extends ColumnBuffer {
  readonly #items = new Uint8Array(CHUNK_ROWS);

  constructor() {
    super(CHUNK_ROWS);
  }

  set(row: number, value: number): void {
    this.mark(row);
    this.#items[row] = value;
  }

  protected writeData(vector: duckdb.Vector, rows: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#items.buffer as ArrayBuffer, 0, rows);
  }
}

/** Holds MAP(VARCHAR, VARCHAR) cells: a list of key-value structs. Every row of a chunk must be set, in order. */
export class MapBuffer extends ColumnBuffer {
  readonly #lists = new BigUint64Array(CHUNK_ROWS * 2);
  readonly #keys = new TextBuffer();
  readonly #values = new TextBuffer();
  #entries = 0;
  #rowStart = 0;

  constructor() {
    super(CHUNK_ROWS);
  }

  /** Adds an entry to the row that {@link endRow} will close. */
  add(key: string, value: string): void {
    this.#keys.set(this.#entries, key);
    this.#values.set(this.#entries, value);
    this.#entries++;
  }

  endRow(row: number): void {
    this.mark(row);
    this.#lists[row * 2] = BigInt(this.#rowStart);
    this.#lists[row * 2 + 1] = BigInt(this.#entries - this.#rowStart);
    this.#rowStart = this.#entries;
  }

  protected writeData(vector: duckdb.Vector, rows: number): void {
    duckdb.list_vector_reserve(vector, this.#entries);
    duckdb.list_vector_set_size(vector, this.#entries);
    const entry = duckdb.list_vector_get_child(vector);
    this.#keys.flush(duckdb.struct_vector_get_child(entry, 0), this.#entries);
    this.#values.flush(duckdb.struct_vector_get_child(entry, 1), this.#entries);
    duckdb.copy_data_to_vector(vector, 0, this.#lists.buffer as ArrayBuffer, 0, rows * 16);
    this.#entries = 0;
    this.#rowStart = 0;
  }
}
