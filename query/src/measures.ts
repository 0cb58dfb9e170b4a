import type { Cell } from "@agent-audit/store";

/** Cells of `SUMS_SQL`. */
export const SUMS_CELLS = 9;
/** Cells of `COST_SQL`. */
export const COST_CELLS = 3;

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
  amount: number | null;
  unpriced_count: number;
}

/** Reads the cells of `SUMS_SQL`. */
export function sumsOf(cells: readonly Cell[]): Sums {
  const numbers = cells.slice(0, SUMS_CELLS).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    count: numbers[0],
    success_count: numbers[1],
    failure_count: numbers[2],
    error_count: numbers[3],
    input_tokens: numbers[4],
    output_tokens: numbers[5],
    cache_read_tokens: numbers[6],
    cache_write_tokens: numbers[7],
    bytes: numbers[8],
  };
}

/** Adds up two sums, field by field. */
export function addSums(a: Sums, b: Sums): Sums {
  const sum = { ...a };
  for (const name of Object.keys(a) as (keyof Sums)[]) sum[name] += b[name];
  return sum;
}

/** Collects what groups of events cost, in billionths, by currency. */
export class CostTally {
  readonly #byCurrency = new Map<string, bigint>();
  #unpriced = 0;

  /** Adds the cells of a currency and `COST_SQL`. */
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
      amount: Number(nano) / 1e9,
      unpriced_count: index === 0 ? this.#unpriced : 0,
    }));
  }
}
