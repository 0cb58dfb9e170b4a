import { asBuffer } from "@agent-audit/otlp";
import type { Vector } from "@duckdb/node-bindings";
import { bindings } from "./duckdb.js";

/**
 * Rows of one data chunk. DuckDB takes up to 2,048, for which whoever else needs this thread would wait twice as long; of 512 a
 * sixteenth less was applied.
 */
export const CHUNK_ROWS = 1024;

const INLINE_BYTES = 12;
const CELL_BYTES = 16;
const PREFIX_BYTES = 4;
const EXACT_ABOVE_LENGTH = 4096;
/** A heap that one large chunk made grow is given up after it. */
const KEPT_HEAP_BYTES = 4 * 1024 * 1024;

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

  /** Whether any row that waits is set. */
  get isFilled(): boolean {
    return this.setCount > 0;
  }

  /** Writes the first `rows` rows into `vector` and forgets them. */
  flush(vector: Vector, rows: number): void {
    if (this.setCount > 0) this.writeData(vector, rows);
    if (this.setCount < rows) {
      bindings.vector_ensure_validity_writable(vector);
      const bytes = Math.ceil(rows / 64) * 8;
      bindings.copy_data_to_vector_validity(
        vector,
        0,
        this.validity.buffer as ArrayBuffer,
        0,
        bytes,
      );
    }
    this.validity.fill(0);
    this.setCount = 0;
  }

  /** Bytes of text that wait to be handed over. */
  get textBytes(): number {
    return 0;
  }

  protected mark(row: number): void {
    (this.validity[row >> 3] as number) |= 1 << (row & 7);
    this.setCount++;
  }

  protected abstract writeData(vector: Vector, rows: number): void;
}

/**
 * Holds VARCHAR cells as DuckDB lays them out: 16 bytes each, of which short text fills 12, while longer
 * text is a prefix and a pointer. All long text of a column is handed over in one call; its address is then
 * read back and the cells point into it. One call per cell was half the time of filling a row.
 *
 * @see duckdb.h, `duckdb_string_t`
 */
export class TextBuffer extends ColumnBuffer {
  #cells: Buffer;
  #heap = Buffer.allocUnsafe(CHUNK_ROWS * 32);
  #heapBytes = 0;
  /** Rows whose text lies in the heap, and where, until the heap has an address. */
  #longRows: number[] = [];
  #longOffsets: number[] = [];

  constructor(capacity = CHUNK_ROWS) {
    super(capacity);
    this.#cells = Buffer.alloc(capacity * CELL_BYTES);
  }

  override get textBytes(): number {
    return this.#heapBytes;
  }

  set(row: number, text: string): void {
    if (row >= this.capacity) this.#grow();
    this.mark(row);
    if (!this.#setInline(row, text)) this.#setLong(row, text);
  }

  protected writeData(vector: Vector, rows: number): void {
    if (this.#longRows.length > 0) this.#pointIntoHeap(vector);
    const bytes = rows * CELL_BYTES;
    const { buffer, byteOffset } = this.#cells;
    bindings.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, byteOffset, bytes);
    this.#cells.fill(0, 0, bytes);
  }

  #setInline(row: number, text: string): boolean {
    const { length } = text;
    if (length > INLINE_BYTES) return false;
    const start = row * CELL_BYTES;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#cells.fill(0, start, start + CELL_BYTES);
        return false;
      }
      this.#cells[start + 4 + i] = code;
    }
    this.#cells[start] = length;
    return true;
  }

  #setLong(row: number, text: string): void {
    // UTF-8 takes at most three bytes for a UTF-16 unit; for long text counting is cheaper than that room.
    const isLong = text.length > EXACT_ABOVE_LENGTH;
    this.#reserveHeap(isLong ? Buffer.byteLength(text) : text.length * 3);
    const from = this.#heapBytes;
    const length = this.#heap.write(text, from);
    const start = row * CELL_BYTES;
    this.#cells.writeUInt32LE(length, start);
    const isInline = length <= INLINE_BYTES;
    const shown = isInline ? length : PREFIX_BYTES;
    for (let i = 0; i < shown; i++) this.#cells[start + 4 + i] = this.#heap[from + i] as number;
    if (isInline) return;
    this.#heapBytes = from + length;
    this.#longRows.push(row);
    this.#longOffsets.push(from);
  }

  /** Gives the heap to the vector, which copies it, and turns offsets into addresses in the copy. */
  #pointIntoHeap(vector: Vector): void {
    const heap = this.#heap.subarray(0, this.#heapBytes);
    bindings.vector_assign_string_element_len(vector, 0, heap);
    const cell = asBuffer(bindings.vector_get_data(vector, CELL_BYTES));
    const address = cell.readBigUInt64LE(8);
    const { buffer, byteOffset, byteLength } = this.#cells;
    const words = new BigUint64Array(buffer, byteOffset, byteLength / 8);
    this.#longRows.forEach((row, i) => {
      words[row * 2 + 1] = address + BigInt(this.#longOffsets[i] as number);
    });
    this.#longRows = [];
    this.#longOffsets = [];
    this.#heapBytes = 0;
    if (this.#heap.length > KEPT_HEAP_BYTES) this.#heap = Buffer.allocUnsafe(KEPT_HEAP_BYTES);
  }

  #reserveHeap(bytes: number): void {
    const needed = this.#heapBytes + bytes;
    if (needed <= this.#heap.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#heap.length * 2, needed));
    this.#heap.copy(larger, 0, 0, this.#heapBytes);
    this.#heap = larger;
  }

  #grow(): void {
    this.capacity *= 2;
    const validity = new Uint8Array(this.capacity / 8);
    validity.set(this.validity);
    this.validity = validity;
    const cells = Buffer.alloc(this.capacity * CELL_BYTES);
    this.#cells.copy(cells);
    this.#cells = cells;
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

  protected writeData(vector: Vector, rows: number): void {
    bindings.copy_data_to_vector(vector, 0, this.#words.buffer as ArrayBuffer, 0, rows * 8);
  }
}

/**
 * Holds cells of a fixed width in a typed array of the same layout: BIGINT and UBIGINT (both have the same
 * bytes), INTEGER, BOOLEAN, and ENUM by its index.
 */
export class FixedBuffer<A extends BigInt64Array | Int32Array | Uint8Array> extends ColumnBuffer {
  readonly #items: A;

  /** @param items room for the rows of a chunk */
  constructor(items: A) {
    super(CHUNK_ROWS);
    this.#items = items;
  }

  set(row: number, value: A[number]): void {
    this.mark(row);
    this.#items[row] = value;
  }

  protected writeData(vector: Vector, rows: number): void {
    const { buffer, BYTES_PER_ELEMENT } = this.#items;
    bindings.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, 0, rows * BYTES_PER_ELEMENT);
  }
}

/** Makes a buffer for BIGINT or UBIGINT cells, given as bigints. */
export const bigIntBuffer = () => new FixedBuffer(new BigInt64Array(CHUNK_ROWS));
/** Makes a buffer for INTEGER cells. */
export const int32Buffer = () => new FixedBuffer(new Int32Array(CHUNK_ROWS));
/** Makes a buffer for BOOLEAN cells, and ENUM cells by their index. */
export const byteBuffer = () => new FixedBuffer(new Uint8Array(CHUNK_ROWS));

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

  override get textBytes(): number {
    return this.#keys.textBytes + this.#values.textBytes;
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

  protected writeData(vector: Vector, rows: number): void {
    bindings.list_vector_reserve(vector, this.#entries);
    bindings.list_vector_set_size(vector, this.#entries);
    const entry = bindings.list_vector_get_child(vector);
    this.#keys.flush(bindings.struct_vector_get_child(entry, 0), this.#entries);
    this.#values.flush(bindings.struct_vector_get_child(entry, 1), this.#entries);
    bindings.copy_data_to_vector(vector, 0, this.#lists.buffer as ArrayBuffer, 0, rows * 16);
    this.#entries = 0;
    this.#rowStart = 0;
  }
}
