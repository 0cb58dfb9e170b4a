import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "@agent-audit/schema";
import type { DuckDBConnection, DuckDBInstance, DuckDBValue, JS } from "@duckdb/node-api";

/** Queries that run at once: more would only take cores from ingest. */
const MAX_RUNNING = 2;
/** Queries that wait for a place; a further one is refused. */
const MAX_WAITING = 64;
const DEFAULT_TIMEOUT_MILLIS = 10_000;
const INTERRUPT_AGAIN_MILLIS = 20;

export interface QueryRequest {
  sql: string;
  values?: (string | number | bigint | boolean | null)[];
  /** Default 10 s; `null` for no limit of time and no place in the queue, for the server's own long reads. */
  timeoutMillis?: number | null;
}

/** Runs queries, each on a connection of its own, so that one can be interrupted alone. */
export class QueryRunner {
  readonly #instance: DuckDBInstance;
  readonly #idle: DuckDBConnection[] = [];
  readonly #busy = new Set<DuckDBConnection>();
  readonly #waiting: (() => void)[] = [];
  readonly #onError: (error: unknown) => boolean;
  #running = 0;
  #isClosed = false;

  /** @param onError told of each error of DuckDB; gives `true` for one of a segment's file */
  constructor(instance: DuckDBInstance, onError: (error: unknown) => boolean) {
    this.#instance = instance;
    this.#onError = onError;
  }

  /**
   * Runs one prepared statement and gives its rows, integers of 64 bits as bigint.
   *
   * @throws AuditError `too_many_queries`, `query_timeout`, `segment_rebuilding`
   */
  async run({ sql, values = [], timeoutMillis }: QueryRequest): Promise<JS[][]> {
    if (timeoutMillis === null) return await this.#execute(sql, values, null);
    await this.#place();
    try {
      return await this.#execute(sql, values, timeoutMillis ?? DEFAULT_TIMEOUT_MILLIS);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  /** Stops what runs, refuses what comes, and gives the connections back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#busy.size > 0) {
      for (const connection of this.#busy) connection.interrupt();
      await sleep(INTERRUPT_AGAIN_MILLIS);
    }
    for (const connection of this.#idle) connection.closeSync();
    this.#idle.length = 0;
  }

  async #place(): Promise<void> {
    if (this.#running >= MAX_RUNNING) {
      if (this.#waiting.length >= MAX_WAITING) {
        throw new AuditError(
          "too_many_queries",
          `${MAX_RUNNING} queries run and ${MAX_WAITING} wait`,
          "ask again when the others are done",
        );
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }

  async #execute(
    sql: string,
    values: DuckDBValue[],
    timeoutMillis: number | null,
  ): Promise<JS[][]> {
    if (this.#isClosed)
      throw new AuditError("stopping", "the server is stopping", "ask again later");
    const connection = this.#idle.pop() ?? (await this.#instance.connect());
    this.#busy.add(connection);
    const deadline = performance.now() + (timeoutMillis ?? Number.POSITIVE_INFINITY);
    // Again and again: an interrupt is lost on a query that still waits for a thread of libuv's pool.
    const timer = setInterval(() => {
      if (performance.now() >= deadline) connection.interrupt();
    }, INTERRUPT_AGAIN_MILLIS);
    try {
      return (await connection.runAndReadAll(sql, values)).getRowsJS();
    } catch (error) {
      if (this.#onError(error)) {
        throw new AuditError(
          "segment_rebuilding",
          "a segment's file cannot be read and is made again from the journal",
          "ask again in a few seconds; /api/v1/status shows the progress",
          { cause: error },
        );
      }
      if (performance.now() < deadline) throw error;
      throw new AuditError(
        "query_timeout",
        `the query took longer than ${timeoutMillis} ms and was stopped`,
        "narrow the time range or the filter",
        { cause: error },
      );
    } finally {
      clearInterval(timer);
      this.#busy.delete(connection);
      this.#idle.push(connection);
    }
  }
}
