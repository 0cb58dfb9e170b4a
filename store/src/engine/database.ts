import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { AuditError } from "@agent-audit/schema";
import type { DuckDBInstance } from "@duckdb/node-api";
import type { DataDirectory } from "../data-directory.js";
import { duckdb } from "./duckdb.js";

const MIB = 1024 * 1024;
const KEPT_DAMAGED_BYTES = 1024 * MIB;

export interface DatabaseOptions {
  directory: DataDirectory;
  /** MiB; default 25 % of RAM, at most 1 GiB. */
  memoryLimitMib?: number | undefined;
  /** Default: all cores. */
  threads?: number | undefined;
}

/**
 * Opens the one DuckDB instance of a data directory, and with its main database the directory's lock,
 * and closes it to everything outside `events/`.
 *
 * @throws AuditError `data_directory_locked` when another process holds the directory
 */
export async function openDatabase(options: DatabaseOptions): Promise<DuckDBInstance> {
  const { directory } = options;
  const instance = await openCatalog(directory);
  // With the lock held: what queries of a killed server have left there.
  for (const name of fs.readdirSync(directory.temporary)) {
    fs.rmSync(path.join(directory.temporary, name), { recursive: true, force: true });
  }
  const connection = await instance.connect();
  // In this order only: as a configuration map, or with external access off first, ATTACH is blocked for good.
  const statements = [
    `SET memory_limit='${memoryLimitMib(options)}MiB'`,
    `SET threads=${options.threads ?? os.availableParallelism()}`,
    "SET TimeZone='UTC'",
    `SET temp_directory=${quote(directory.temporary)}`,
    // Checkpoints are the engine's own: DuckDB's default of 16 MiB halves the throughput of appends.
    "SET checkpoint_threshold='4GiB'",
    "SET preserve_insertion_order=true",
    // What queries and ended segments gave back would else stay with the process until DuckDB allocates again.
    "SET allocator_background_threads=true",
    `SET allowed_directories=[${quote(`${directory.events}${path.sep}`)}]`,
    "SET enable_external_access=false",
    "SET lock_configuration=true",
  ];
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  return instance;
}

/** MiB that DuckDB may use. */
export function memoryLimitMib(options: Pick<DatabaseOptions, "memoryLimitMib">): number {
  return options.memoryLimitMib ?? Math.min(1024, Math.floor(os.totalmem() / MIB / 4));
}

/** Writes a text literal for the few statements that take no parameters. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function openCatalog(directory: DataDirectory): Promise<DuckDBInstance> {
  try {
    return await duckdb.DuckDBInstance.create(directory.catalog);
  } catch (cause) {
    if (isLocked(cause)) throw locked(directory, cause);
    // It holds nothing that cannot be rebuilt: set it aside and go on.
    moveAside(directory, directory.catalog);
    return await duckdb.DuckDBInstance.create(directory.catalog);
  }
}

/** Moves an engine file and its WAL to `damaged/`. */
export function moveAside(directory: DataDirectory, file: string): void {
  move(file, directory.damaged, `${stampOfNow()}-`);
  forgetOldest(directory.damaged);
}

/** Moves engine files that nothing can be made from again to a place of their own in `damaged/`, where they stay. */
export function moveToLost(directory: DataDirectory, files: readonly string[]): void {
  const target = path.join(directory.damaged, `lost-${stampOfNow()}`);
  fs.mkdirSync(target, { recursive: true, mode: 0o700 });
  for (const file of files) move(file, target, "");
}

function stampOfNow(): string {
  return new Date().toISOString().replaceAll(/[:.]/g, "-");
}

function move(file: string, directory: string, prefix: string): void {
  for (const source of [file, `${file}.wal`]) {
    if (!fs.existsSync(source)) continue;
    fs.renameSync(source, path.join(directory, `${prefix}${path.basename(source)}`));
  }
}

/** What is moved aside is for a look at what happened: the newest file is kept whatever its size, older ones up to a bound. */
function forgetOldest(damaged: string): void {
  let bytes = 0;
  // Names begin with the time.
  const files = fs.readdirSync(damaged, { withFileTypes: true }).filter((file) => file.isFile());
  for (const [index, name] of files
    .map(({ name }) => name)
    .sort()
    .reverse()
    .entries()) {
    const file = path.join(damaged, name);
    bytes += fs.statSync(file).size;
    if (index > 0 && bytes > KEPT_DAMAGED_BYTES) fs.rmSync(file);
  }
}

/** Tells whether another process holds the file that an error is about. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && /could not set lock|conflicting lock/i.test(error.message);
}

export function locked(directory: DataDirectory, cause: unknown): AuditError {
  const pid = /PID (\d+)/.exec((cause as Error).message)?.[1];
  return new AuditError(
    "data_directory_locked",
    `the data directory ${directory.root} is in use by another process${pid ? ` (PID ${pid})` : ""}`,
    "stop that server, or start this one on another directory with --data DIR",
    { cause },
  );
}
