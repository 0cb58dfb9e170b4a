import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { AuditError } from "@agent-audit/schema";
import { type Disk, nodeDisk, readFile, replaceFile } from "./journal/disk.js";
import { STORE_ID_LENGTH } from "./journal/format.js";
import { journalNames } from "./journal/journal-files.js";

const DIRECTORY_VERSION = 1;
const STORE_FILE = "store.json";
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** The current id of a store, then former ones. */
export type StoreIds = readonly [current: string, ...former: string[]];

/** Names the places in a data directory. */
export interface DataDirectory {
  root: string;
  journal: string;
  events: string;
  damaged: string;
  temporary: string;
  /** Main database of the one DuckDB instance; its file lock is the directory's lock. */
  catalog: string;
}

/** Makes what is missing of a data directory. Changes nothing that exists, so it may run before the lock is held. */
export function makeDataDirectory(root: string): DataDirectory {
  const absolute = path.resolve(root);
  const directory: DataDirectory = {
    root: absolute,
    journal: path.join(absolute, "journal"),
    events: path.join(absolute, "events"),
    damaged: path.join(absolute, "damaged"),
    temporary: path.join(absolute, "tmp"),
    catalog: path.join(absolute, "catalog.duckdb"),
  };
  try {
    for (const place of [
      directory.journal,
      directory.events,
      directory.damaged,
      directory.temporary,
    ]) {
      fs.mkdirSync(place, { recursive: true, mode: 0o700 });
    }
  } catch (cause) {
    throw new AuditError(
      "data_directory",
      `the data directory ${absolute} cannot be made: ${(cause as Error).message}`,
      "choose a directory that this user may write, with --data DIR",
      { cause },
    );
  }
  return directory;
}

/**
 * Reads the ids of a store: the current one, which ids of events begin with, then those that it had before events were
 * lost, newest first. Makes one at the first start. Call with the lock held.
 *
 * @throws AuditError `data_directory`, `data_directory_version`
 */
export function storeIdsOf({ root }: Pick<DataDirectory, "root">, disk: Disk = nodeDisk): StoreIds {
  const file = path.join(root, STORE_FILE);
  if (!disk.readdirSync(root).includes(STORE_FILE)) {
    const journal = path.join(root, "journal");
    // Under another id, all of it would be taken for a stranger's.
    if (journalNames(journal, disk).length > 0) {
      throw new AuditError(
        "data_directory",
        `${file} is missing, and ${journal} holds a journal`,
        "restore it from a backup: it cannot be made again",
      );
    }
    return writeNewId(file, [], disk);
  }
  const { store_id: storeId, former_store_ids: former = [], version } = readJson(file, disk);
  if (version !== DIRECTORY_VERSION || typeof storeId !== "string" || !Array.isArray(former)) {
    throw new AuditError(
      "data_directory_version",
      `${file} has version ${String(version)}; this version reads ${DIRECTORY_VERSION}`,
      "start the version of agent-audit that wrote it",
    );
  }
  return [storeId, ...former.map(String)];
}

/** Gives the data directory a new id: sequences from now on may have stood for other events before. */
export function renewStoreId(directory: Pick<DataDirectory, "root">): void {
  writeNewId(path.join(directory.root, STORE_FILE), storeIdsOf(directory), nodeDisk);
}

function writeNewId(file: string, former: readonly string[], disk: Disk): StoreIds {
  const storeId = Array.from(randomBytes(STORE_ID_LENGTH), (byte) => BASE32[byte & 31]).join("");
  const text = JSON.stringify({
    store_id: storeId,
    ...(former.length > 0 && { former_store_ids: former }),
    version: DIRECTORY_VERSION,
  });
  replaceFile(disk, file, [Buffer.from(`${text}\n`)]);
  return [storeId, ...former];
}

function readJson(file: string, disk: Disk): Record<string, unknown> {
  try {
    return JSON.parse(readFile(disk, file).toString("utf8")) as Record<string, unknown>;
  } catch (cause) {
    throw new AuditError("data_directory", `${file} is not JSON`, "restore it from a backup", {
      cause,
    });
  }
}
