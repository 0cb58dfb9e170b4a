import type { QueryRequest } from "@agent-audit/store";

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

  /** Sequences as one value: of two hundred values, planning takes longer than reading the rows. */
  seqs(seqs: readonly bigint[]): string {
    return `(SELECT unnest(${this.value(seqs)}::BIGINT[]))`;
  }

  /** Writes tables as one, with the columns that are wanted, filtered. */
  from(tables: readonly string[], columns: readonly string[], where: string): string {
    const list = columns.join(", ");
    return `(${tables
      .map((table) => `SELECT ${list} FROM ${table} WHERE ${where}`)
      .join(" UNION ALL ")})`;
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
