import path from "node:path";
import { type Disk, nodeDisk, readFile, replaceFile } from "../journal/disk.js";
import { journalNames } from "../journal/journal-files.js";
import { JournalReader } from "../journal/journal-reader.js";
import { decodeIdentity, identityChecksum, type KnownAtStart } from "./identity-format.js";
import { identityScanner } from "./record-identity.js";
import { SeenRecords } from "./seen-records.js";

/** Of the synced files: the newest, and the one before it in case that one is damaged. */
const KEPT_FILES = 2;

/**
 * Reads what a start must know: from the newest sound identity file and the frames after
 * it. Without such a file all frames are read.
 *
 * @param syncedSeq last sequence of the recovered journal
 */
export function loadKnownAtStart(
  journalDirectory: string,
  syncedSeq: bigint,
  disk: Disk = nodeDisk,
): KnownAtStart {
  let known: KnownAtStart = { seen: new SeenRecords(), quarantined: null };
  let fromSeq = journalNames(journalDirectory, disk)[0]?.firstSeq ?? 1n;
  for (const { file, firstSeq } of identityFiles(journalDirectory, disk)) {
    // It knows records that this journal has not, as when an older one was put in place by mistake.
    if (firstSeq > syncedSeq + 1n) continue;
    const read = decodeIdentity(readFile(disk, file));
    if (read === null) continue;
    known = read;
    fromSeq = firstSeq;
    break;
  }
  const scanner = identityScanner();
  // What was dropped cannot be known again; whether it was is the engine's to check.
  const reader = new JournalReader(journalDirectory, fromSeq, disk, () => true);
  for (let next = reader.next(syncedSeq); next !== null; next = reader.next(syncedSeq)) {
    const { frame } = next;
    known.seen.classify({
      ...frame,
      digest: () => frame.digest,
      scan: scanner.scan(frame.payload),
    });
  }
  reader.close();
  return known;
}

/**
 * What a start must know of all before `firstSeq`, as it is written down. Not synced within a journal file, where it only
 * gives a start after a crash less to read: a loss of power may damage it, and the one of the file's beginning counts.
 */
export interface IdentityFile {
  firstSeq: bigint;
  isSynced: boolean;
  /** See `encodeIdentity`. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** Writes identity files, on the calling thread or on one of its own. */
export interface IdentityWriter {
  /** Whether it still writes the last one: a further one is better left out, which costs a start more reading. */
  readonly isBusy: boolean;
  /** Takes the file's memory with it. */
  write(file: IdentityFile): void;
}

/** Writes at once. */
export class InlineIdentityWriter implements IdentityWriter {
  readonly isBusy = false;
  readonly #directory: string;
  readonly #disk: Disk | undefined;

  constructor(journalDirectory: string, disk?: Disk) {
    this.#directory = journalDirectory;
    this.#disk = disk;
  }

  write(file: IdentityFile): void {
    writeIdentityFile(this.#directory, file, this.#disk);
  }
}

/**
 * Writes it, and removes what is older: of the files at the beginning of a journal file two stay. One that is newer knows
 * records that are lost, and would take others of their sequences for known: it goes first, and as durably as the new one comes.
 */
function writeIdentityFile(
  journalDirectory: string,
  { firstSeq, isSynced, bytes }: IdentityFile,
  disk: Disk = nodeDisk,
): void {
  const name = `${String(firstSeq).padStart(20, "0")}.ids`;
  const parts = [Buffer.from(bytes.buffer), identityChecksum(bytes)];
  const others = identityFiles(journalDirectory, disk);
  for (const other of others) if (other.firstSeq > firstSeq) disk.unlinkSync(other.file);
  replaceFile(disk, path.join(journalDirectory, name), parts, isSynced);
  const beginnings = new Set(journalNames(journalDirectory, disk).map(({ firstSeq }) => firstSeq));
  let synced = isSynced ? 1 : 0;
  for (const other of others) {
    if (other.firstSeq >= firstSeq) continue;
    if (beginnings.has(other.firstSeq) && synced++ < KEPT_FILES) continue;
    disk.unlinkSync(other.file);
  }
  // What a crash left while it was written.
  for (const name of disk.readdirSync(journalDirectory)) {
    if (name.endsWith(".ids.new")) disk.unlinkSync(path.join(journalDirectory, name));
  }
}

/** Identity files, newest first. */
function identityFiles(directory: string, disk: Disk): { file: string; firstSeq: bigint }[] {
  return disk
    .readdirSync(directory)
    .flatMap((name) => {
      const match = /^(\d{20})\.ids$/.exec(name);
      if (match === null) return [];
      return [{ file: path.join(directory, name), firstSeq: BigInt(match[1] as string) }];
    })
    .sort((a, b) => (a.firstSeq < b.firstSeq ? 1 : -1));
}
