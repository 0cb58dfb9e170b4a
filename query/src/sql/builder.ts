import { COLUMN_NAMES, type QueryRequest, SUMS_EXTRAS } from "@agent-audit/store";

const COLUMNS: ReadonlySet<string> = new Set([...COLUMN_NAMES, ...SUMS_EXTRAS]);

type Value = string | number | bigint | boolean | readonly bigint[];

/** Collects the values of one statement: they travel as parameters, never in its text. */
export class SqlBuilder {
  readonly values: NonNullable<QueryRequest["values"]> = [];
  readonly #definitions: string[] = [];

  /** Adds a value and gives its place. */
  value(value: Value): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  /** A UBIGINT value: of another type it would make DuckDB cast the whole column. */
  time(nanos: bigint): string {
    return `${this.value(nanos)}::UBIGINT`;
  }

  seq(seq: bigint): string {
    return `${this.value(seq)}::BIGINT`;
  }

  /** A value of a closed list: as text it would make DuckDB cast the whole column, which took two fifths of a rare filter. */
  oneOf(value: string, values: readonly string[]): string {
    return `${this.value(value)}::ENUM(${values.map((name) => `'${name}'`).join(", ")})`;
  }

  /** Sequences as one value: of two hundred values, planning takes longer than reading the rows. */
  seqs(seqs: readonly bigint[]): string {
    return `(SELECT unnest(${this.value(seqs)}::BIGINT[]))`;
  }

  /**
   * Writes tables as one, with the columns that are wanted, or expressions with names, filtered. The condition stands once,
   * over all of them, and DuckDB moves it down: to plan it for each of 30 tables took longer than to look for what it finds.
   */
  from(tables: readonly string[], columns: readonly string[], where: string): string {
    const read = [...new Set([...columns, ...columnsIn(where)])].join(", ");
    const all = tables.map((table) => `SELECT ${read} FROM ${table}`).join(" UNION ALL ");
    return `(SELECT ${columns.map(nameOf).join(", ")} FROM (${all}) WHERE ${where})`;
  }

  /** Names a query that the statement reads, perhaps more than once. */
  define(name: string, query: string): void {
    this.#definitions.push(`${name} AS MATERIALIZED (${query})`);
  }

  /** Gives the statement with its definitions and values. */
  statement(sql: string): QueryRequest {
    const definitions = this.#definitions.join(", ");
    return { sql: definitions === "" ? sql : `WITH ${definitions} ${sql}`, values: this.values };
  }
}

/** The name of a column, or of an expression that is given one. */
function nameOf(column: string): string {
  return column.slice(column.lastIndexOf(" ") + 1);
}

/** The columns that a piece of our SQL names: values are never in its text. */
function columnsIn(text: string): string[] {
  return [...new Set(text.match(/\w+/g))].filter((word) => COLUMNS.has(word));
}
