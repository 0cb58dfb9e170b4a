import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "@agent-audit/schema";
import type {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBMaterializedResult,
  DuckDBValue,
  JS,
} from "@duckdb/node-api";
import { duckdb } from "./duckdb.js";
import { type Column, chunksOf, columnsOf } from "./result-columns.js";
import { isOutOfMemory } from "./shortage.js";

/** Queries that run at once: more would only take cores from ingest. */
const MAX_RUNNING = 2;
/** Queries that wait for a place; a further one is refused. */
const MAX_WAITING = 64;
const DEFAULT_TIMEOUT_MILLIS = 10_000;
const AGAIN_MILLIS = 20;
/** How long memory counts as short after a query found none. */
const MEMORY_SHORT_MILLIS = 10_000;
/** How long {@link QueryRunner.alone} waits for those that run. */
const ALONE_MILLIS = 12_000;

/** Is bound as one value. */
type Value = string | number | bigint | boolean | null | readonly bigint[];

export interface QueryRequest {
  sql: string;
  values?: Value[];
  /**
   * From its arrival on; default 10 s; `null` for no limit of time and no place in the queue, for the server's own long
   * reads.
   */
  timeoutMillis?: number | null;
  /** From when it has a place; default: no other limit. */
  runMillis?: number;
  /** UTF-16 units of text that the rows may hold together, of {@link QueryRunner.rows}; default: no limit. */
  maxText?: number | undefined;
}

/** A query from its arrival to its answer. */
interface Call {
  /** `performance.now()` at which it is stopped. */
  deadline: number;
  isCancelled: boolean;
  /** Ends its waiting for a place. */
  refuse: ((error: AuditError) => void) | null;
}

/** Runs queries, each on a connection of its own, so that one can be interrupted alone. */
export class QueryRunner {
  readonly #instance: DuckDBInstance;
  readonly #idle: DuckDBConnection[] = [];
  readonly #busy = new Set<DuckDBConnection>();
  readonly #calls = new Map<number, Call>();
  readonly #waiting = new Map<Call, () => void>();
  readonly #onError: (error: unknown) => boolean;
  #running = 0;
  /** Those that run, with or without a place, and those that are about to; since when. */
  readonly #executing = new Map<Call, number>();
  #executions = 0;
  #foundNoMemoryAt = Number.NEGATIVE_INFINITY;
  /** Whether queries that come must wait. */
  #isHeldBack = false;
  #isClosed = false;

  /** @param onError told of each error of DuckDB; gives `true` for one of a segment's file */
  constructor(instance: DuckDBInstance, onError: (error: unknown) => boolean) {
    this.#instance = instance;
    this.#onError = onError;
  }

  /**
   * Runs one prepared statement and gives its rows, integers of 64 bits as bigint.
   *
   * @param id under which {@link cancel} knows it
   * @throws AuditError `too_many_queries`, `query_timeout`, `query_cancelled`, `segment_rebuilding`, `out_of_memory`,
   *   `answer_too_large`
   */
  async rows(request: QueryRequest, id: number): Promise<JS[][]> {
    const { maxText } = request;
    return await this.#run(request, id, (result) => rowsWithin(result, maxText));
  }

  /** As {@link rows}, by column. */
  async columns(request: QueryRequest, id: number): Promise<Column[]> {
    return await this.#run(request, id, columnsOf);
  }

  async #run<T>(
    {
      sql,
      values = [],
      timeoutMillis = DEFAULT_TIMEOUT_MILLIS,
      runMillis = Number.POSITIVE_INFINITY,
    }: QueryRequest,
    id: number,
    read: (result: DuckDBMaterializedResult) => T,
  ): Promise<T> {
    const deadline = performance.now() + (timeoutMillis ?? Number.POSITIVE_INFINITY);
    const call: Call = { deadline, isCancelled: false, refuse: null };
    this.#calls.set(id, call);
    try {
      const execute = () => this.#execute(sql, values.map(bindable), call, read);
      if (timeoutMillis === null) return await execute();
      await this.#place(call);
      call.deadline = Math.min(call.deadline, performance.now() + runMillis);
      try {
        return await execute();
      } finally {
        this.#givePlace();
      }
    } finally {
      this.#calls.delete(id);
    }
  }

  /** Stops a query, running or waiting: nobody wants its answer any more. */
  cancel(id: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    call.isCancelled = true;
    call.refuse?.(stopped(call));
  }

  /** How many have run until now; `null` while any does. */
  get executions(): number | null {
    return this.#executing.size > 0 ? null : this.#executions;
  }

  /** How long the one that has run longest has run; 0 for none. */
  get longestMillis(): number {
    const [begin] = this.#executing.values();
    return begin === undefined ? 0 : performance.now() - begin;
  }

  /** Whether a query found no memory, not long ago: what asks for as much is asked again. */
  get isMemoryShort(): boolean {
    return performance.now() - this.#foundNoMemoryAt < MEMORY_SHORT_MILLIS;
  }

  /** Does something while no query runs; those that come wait. Gives `null` when those that run do not end in time. */
  async alone<T>(work: () => Promise<T>): Promise<T | null> {
    this.#isHeldBack = true;
    try {
      const deadline = performance.now() + ALONE_MILLIS;
      while (this.#executing.size > 0) {
        if (performance.now() > deadline) return null;
        await sleep(AGAIN_MILLIS);
      }
      return await work();
    } finally {
      this.#isHeldBack = false;
    }
  }

  /** Stops what runs, refuses what comes, and gives the connections back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#busy.size > 0) {
      for (const connection of this.#busy) connection.interrupt();
      await sleep(AGAIN_MILLIS);
    }
    for (const connection of this.#idle) connection.closeSync();
    this.#idle.length = 0;
  }

  /** Waits for a place among those that run; it is {@link #givePlace given} on. */
  async #place(call: Call): Promise<void> {
    if (this.#running < MAX_RUNNING) {
      this.#running++;
      return;
    }
    const tooMany = (what: string) =>
      new AuditError("too_many_queries", what, "ask again when the others are done");
    if (this.#waiting.size >= MAX_WAITING) {
      throw tooMany(`${MAX_RUNNING} queries run and ${MAX_WAITING} wait`);
    }
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.set(call, resolve);
        call.refuse = reject;
        const refuse = () => reject(tooMany("the query had no place until its time was over"));
        timer = setTimeout(refuse, call.deadline - performance.now());
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(call);
      call.refuse = null;
    }
  }

  #givePlace(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
      return;
    }
    const [call, enter] = next;
    this.#waiting.delete(call);
    enter();
  }

  async #execute<T>(
    sql: string,
    values: DuckDBValue[],
    call: Call,
    read: (result: DuckDBMaterializedResult) => T,
  ): Promise<T> {
    const isOver = () => call.isCancelled || performance.now() >= call.deadline;
    while (this.#isHeldBack && !isOver()) await sleep(AGAIN_MILLIS);
    if (this.#isClosed)
      throw new AuditError("stopping", "the server is stopping", "ask again later");
    if (isOver()) throw stopped(call);
    this.#executing.set(call, performance.now());
    this.#executions++;
    try {
      return await this.#answer(sql, values, call, isOver, read);
    } finally {
      this.#executing.delete(call);
    }
  }

  async #answer<T>(
    sql: string,
    values: DuckDBValue[],
    call: Call,
    isOver: () => boolean,
    read: (result: DuckDBMaterializedResult) => T,
  ): Promise<T> {
    const connection = this.#idle.pop() ?? (await this.#instance.connect());
    this.#busy.add(connection);
    // Again and again: an interrupt is lost on a query that still waits for a thread of libuv's pool.
    const timer = setInterval(() => {
      if (isOver()) connection.interrupt();
    }, AGAIN_MILLIS);
    try {
      return read(await runPrepared(connection, sql, values));
    } catch (error) {
      if (this.#onError(error)) {
        throw new AuditError(
          "segment_rebuilding",
          "a segment's file cannot be read and is made again from the journal",
          "ask again in a few seconds; /api/v1/status shows the progress",
          { cause: error },
        );
      }
      if (isOver()) throw stopped(call, error);
      if (!isOutOfMemory(error)) throw error;
      this.#foundNoMemoryAt = performance.now();
      throw outOfMemory(error);
    } finally {
      clearInterval(timer);
      this.#busy.delete(connection);
      this.#idle.push(connection);
    }
  }
}

/** In two turns of this thread; `connection.run` takes one more. */
async function runPrepared(
  connection: DuckDBConnection,
  sql: string,
  values: DuckDBValue[],
): Promise<DuckDBMaterializedResult> {
  const prepared = await connection.prepare(sql);
  try {
    prepared.bind(values);
    return await prepared.run();
  } finally {
    prepared.destroySync();
  }
}

/** Reads rows, as long as their text has room. @throws AuditError `answer_too_large` */
function rowsWithin(result: DuckDBMaterializedResult, maxText: number | undefined): JS[][] {
  const rows: JS[][] = [];
  let text = 0;
  for (const chunk of chunksOf(result)) {
    // By column it takes two thirds of the time.
    const columns = chunk.convertColumns(duckdb.JSDuckDBValueConverter) as JS[][];
    for (let i = 0; i < chunk.rowCount; i++) {
      const row = columns.map((cells) => cells[i] as JS);
      rows.push(row);
      if (maxText === undefined) continue;
      text += textOf(row);
      if (text > maxText) {
        throw new AuditError(
          "answer_too_large",
          `the rows hold more than ${maxText} characters`,
          "ask for fewer at once",
        );
      }
    }
  }
  return rows;
}

/** Counts the text of a cell, or of all in it. */
function textOf(cell: JS): number {
  if (typeof cell === "string") return cell.length;
  if (typeof cell !== "object" || cell === null) return 0;
  let length = 0;
  for (const inner of Object.values(cell)) length += textOf(inner as JS);
  return length;
}

function outOfMemory(cause: unknown): AuditError {
  return new AuditError(
    "out_of_memory",
    "the query needs more memory than the engine has",
    "narrow the time range or the filter; the operator can raise engine.memory_limit_mib",
    { cause },
  );
}

function bindable(value: Value): DuckDBValue {
  return typeof value === "object" && value !== null ? duckdb.listValue(value) : value;
}

function stopped({ isCancelled }: Call, cause?: unknown): AuditError {
  return isCancelled
    ? new AuditError("query_cancelled", "nobody waits for the answer", "ask again", { cause })
    : new AuditError(
        "query_timeout",
        "the query took too long and was stopped",
        "narrow the time range or the filter",
        { cause },
      );
}
