import type { Cell } from "@agent-audit/store";
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
  bytes: number;
}

export interface Cost {
  currency: string | null;
  /** Text where a number would not hold every billionth: from about 9 million on. */
  amount: number | string | null;
  unpriced_count: number;
}

/** Adds up the cells of `sumsSql`. */
export class SumsTally {
  readonly #cells = new Array<number>(SUMS_CELLS).fill(0);

  add(cells: readonly Cell[]): void {
    for (let i = 0; i < SUMS_CELLS; i++) {
      this.#cells[i] = (this.#cells[i] as number) + (cells[i] as number);
    }
  }

  json(): Sums {
    const [count = 0, withResult = 0, failures = 0, errors = 0, ...rest] = this.#cells;
    const [input = 0, output = 0, cacheRead = 0, cacheWrite = 0, bytes = 0] = rest;
    return {
      count,
      success_count: withResult - failures - errors,
      failure_count: failures,
      error_count: errors,
      input_tokens: input,
      output_tokens: output,
      cache_read_tokens: cacheRead,
      cache_write_tokens: cacheWrite,
      bytes,
    };
  }
}

/** Collects what groups of events cost, in billionths, by currency. */
export class CostTally {
  readonly #byCurrency = new Map<string, bigint>();
  #unpriced = 0;

  /** Adds the cells of a currency and `costSql`. */
  add(currency: Cell, cells: readonly Cell[]): void {
    const [nano, unpriced, priced] = cells.map((cell) => BigInt(cell as bigint)) as [
      bigint,
      bigint,
      bigint,
    ];
    this.#unpriced += Number(unpriced);
    if (priced === 0n) return;
    const name = (currency ?? "") as string;
    this.#byCurrency.set(name, (this.#byCurrency.get(name) ?? 0n) + nano);
  }

  /** Gives one entry per currency; unpriced calls stand in the first, or alone without an amount. */
  json(): Cost[] {
    const entries = [...this.#byCurrency].sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length === 0) {
      if (this.#unpriced === 0) return [];
      return [{ currency: null, amount: null, unpriced_count: this.#unpriced }];
    }
    return entries.map(([currency, nano], index) => ({
      currency: currency === "" ? null : currency,
      amount: amountOf(nano),
      unpriced_count: index === 0 ? this.#unpriced : 0,
    }));
  }
}

function amountOf(nano: bigint): number | string {
  const amount = Number(nano) / 1e9;
  if (Number.isSafeInteger(Number(nano))) return amount;
  const digits = String(nano < 0n ? -nano : nano).padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  const sign = nano < 0n ? "-" : "";
  return `${sign}${digits.slice(0, -9)}${fraction === "" ? "" : `.${fraction}`}`;
}
