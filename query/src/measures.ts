import type { Cell, Column } from "@agent-audit/store";
import { SUMS_CELLS } from "./sql/measures-sql.js";

export interface Sums {
  count: number;
  success_count: number;
  failure_count: number;
  error_count: number;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
}

export interface Cost {
  currency: string | null;
  /** Text where a number would not hold every billionth: from about 9 million on. */
  amount: number | string | null;
  unpriced_count: number;
}

const BILLION = 1_000_000_000n;

/** Adds up the cells of `sumsSql`. */
export class SumsTally {
  readonly #cells = new Array<number>(SUMS_CELLS).fill(0);

  /** @param at column of the first */
  add(columns: readonly Column[], at: number, row: number): void {
    for (let i = 0; i < SUMS_CELLS; i++) {
      this.#cells[i] = (this.#cells[i] as number) + numberAt(columns, at + i, row);
    }
  }

  get bytes(): number {
    return this.#cells.at(-1) as number;
  }

  json(): Sums {
    const [count = 0, withResult = 0, failures = 0, errors = 0] = this.#cells;
    const [, , , , input = 0, output = 0, cacheRead = 0, cacheWrite = 0] = this.#cells;
    return {
      count,
      success_count: withResult - failures - errors,
      failure_count: failures,
      error_count: errors,
      input_tokens: input,
      output_tokens: output,
      cache_read_tokens: cacheRead,
      cache_write_tokens: cacheWrite,
    };
  }
}

/** Collects what groups of events cost, in whole units and billionths, by currency. */
export class CostTally {
  /** Made when there is one: most events cost nothing. */
  #byCurrency: Map<string, { units: number; billionths: number }> | null = null;
  #unpriced = 0;

  /**
   * Adds the cells of `costSql`.
   *
   * @param at column of the first
   */
  add(currency: Cell, columns: readonly Column[], at: number, row: number): void {
    const cell = (index: number) => numberAt(columns, at + index, row);
    const [units, billionths, unpriced, priced] = [cell(0), cell(1), cell(2), cell(3)];
    this.#unpriced += unpriced;
    if (priced === 0) return;
    const name = (currency ?? "") as string;
    this.#byCurrency ??= new Map();
    const sum = this.#byCurrency.get(name) ?? { units: 0, billionths: 0 };
    this.#byCurrency.set(name, sum);
    sum.units += units;
    sum.billionths += billionths;
  }

  /** Gives one entry per currency; unpriced calls stand in the first, or alone without an amount. */
  json(): Cost[] {
    if (this.#byCurrency === null) {
      if (this.#unpriced === 0) return [];
      return [{ currency: null, amount: null, unpriced_count: this.#unpriced }];
    }
    const entries = [...this.#byCurrency].sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([currency, { units, billionths }], index) => ({
      currency: currency === "" ? null : currency,
      amount: amountOf(BigInt(units) * BILLION + BigInt(billionths)),
      unpriced_count: index === 0 ? this.#unpriced : 0,
    }));
  }
}

function numberAt(columns: readonly Column[], column: number, row: number): number {
  return (columns[column] as Column)[row] as number;
}

function amountOf(nano: bigint): number | string {
  const amount = Number(nano) / 1e9;
  if (Number.isSafeInteger(Number(nano))) return amount;
  const digits = String(nano < 0n ? -nano : nano).padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  const sign = nano < 0n ? "-" : "";
  return `${sign}${digits.slice(0, -9)}${fraction === "" ? "" : `.${fraction}`}`;
}
