import path from "node:path";
import { type Disk, nodeDisk } from "./disk.js";
import type { VersionedHeader } from "./format.js";
import { type FrameSource, openPlain } from "./frame-source.js";
import { journalCorrupt } from "./journal-corrupt.js";
import { openSealed } from "./sealed-journal.js";

/** Names one journal file. */
export interface JournalName {
  path: string;
  /** Sequence of the first record that the file can hold. */
  firstSeq: bigint;
  /** Whether it is compressed and will not change any more. */
  isSealed: boolean;
}

/** Describes one journal file by its header. */
export interface JournalFile extends JournalName, VersionedHeader {
  /** Sequence that follows the last record; `null` where only reading the frames would tell. */
  nextSeq: bigint | null;
  /** Size on disk. */
  bytes: number;
}

/** Another thread seals one file after another: a listing can miss more than one. */
const MAX_TRIES = 10;

const NAME = /^(\d{20})\.journal(\.gz)?$/;

/** Names the plain file whose first record has this sequence. */
export function journalFileName(firstSeq: bigint): string {
  return `${String(firstSeq).padStart(20, "0")}.journal`;
}

/** Names the sealed form of a plain journal file. */
export function sealedName(file: string): string {
  return `${file}.gz`;
}

/**
 * Lists the journal files in order, without opening them. Where a crash left both forms of one file, the plain
 * one counts: it is removed only when the sealed one is known to be whole.
 */
export function journalNames(directory: string, disk: Disk = nodeDisk): JournalName[] {
  const byFirstSeq = new Map<bigint, JournalName>();
  // "….journal" sorts before "….journal.gz".
  for (const name of disk.readdirSync(directory).sort()) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const firstSeq = BigInt(match[1] as string);
    if (byFirstSeq.has(firstSeq)) continue;
    byFirstSeq.set(firstSeq, {
      path: path.join(directory, name),
      firstSeq,
      isSealed: match[2] !== undefined,
    });
  }
  return [...byFirstSeq.values()];
}

/** What is known of one journal file, and the way to its frames. The source must be closed. */
export interface OpenJournalFile {
  file: JournalFile;
  source: FrameSource;
}

/**
 * Opens a journal file of either form.
 *
 * @throws AuditError `journal_corrupt` when it has no sound header, which files get before their name, or another file's
 */
export function openJournalFile(name: JournalName, disk: Disk = nodeDisk): OpenJournalFile {
  const fd = disk.openSync(name.path, "r");
  try {
    const opened = name.isSealed ? openSealed(disk, fd, name.path) : openPlain(disk, fd);
    if (opened === null) {
      throw journalCorrupt(name.path, `the ${name.isSealed ? "index" : "file header"} is damaged`);
    }
    const { firstSeq } = opened.header;
    if (firstSeq !== name.firstSeq) {
      throw journalCorrupt(name.path, `it is the file that begins with ${firstSeq}`);
    }
    const bytes = disk.fstatSync(fd).size;
    return {
      file: { ...name, ...opened.header, nextSeq: opened.nextSeq, bytes },
      source: opened.source,
    };
  } catch (error) {
    disk.closeSync(fd);
    throw error;
  }
}

/** Opens the file that is chosen from the list, also when it is sealed meanwhile; `null` when none is. */
export function openChosen(
  directory: string,
  choose: (names: JournalName[]) => JournalName | undefined,
  disk: Disk = nodeDisk,
): OpenJournalFile | null {
  return whileSealing(() => {
    const name = choose(journalNames(directory, disk));
    return name === undefined ? null : openJournalFile(name, disk);
  });
}

/**
 * Describes the journal files in order.
 *
 * @throws AuditError `journal_corrupt`
 */
export function listJournalFiles(directory: string, disk: Disk = nodeDisk): JournalFile[] {
  return whileSealing(() =>
    journalNames(directory, disk).map((name) => {
      const { file, source } = openJournalFile(name, disk);
      source.close();
      return file;
    }),
  );
}

/** Tries again when a file was sealed between its listing and its opening: then it is there under its other name. */
export function whileSealing<T>(action: () => T): T {
  for (let tries = 1; ; tries++) {
    try {
      return action();
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isGone || tries === MAX_TRIES) throw error;
    }
  }
}
