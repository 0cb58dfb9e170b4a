import zlib from "node:zlib";
import { type Disk, readRange, syncDirectory, writeFully } from "./disk.js";
import { FILE_HEADER_BYTES, nextSeqOf } from "./format.js";
import { FrameScanner } from "./frame-scanner.js";
import { journalCorrupt } from "./journal-corrupt.js";
import {
  type JournalFile,
  type JournalName,
  listJournalFiles,
  openJournalFile,
  sealedName,
} from "./journal-files.js";
import { encodeIndex, MAX_MEMBERS, type Member, openSealed } from "./sealed-journal.js";

/** Content of one gzip member: what a look-up of one record decompresses. */
const MEMBER_BYTES = 1024 * 1024;

/** Names the plain files of all segments but the newest: nothing is appended to them any more. */
export function sealableFiles(directory: string, disk: Disk): JournalFile[] {
  const files = listJournalFiles(directory, disk);
  const newest = files.at(-1)?.segment;
  return files.filter(({ isSealed, segment }) => !isSealed && segment !== newest);
}

/**
 * Rewrites a plain journal file as gzip members with an index, reads it back, and removes the plain file. A
 * crash at any point leaves the plain file, the sealed one, or both.
 *
 * @param goOn called again and again; what it throws ends the sealing, and the file stays as it is
 * @throws AuditError `journal_corrupt` when the file cannot be read to its end; it then stays as it is
 */
export function sealJournal(
  disk: Disk,
  directory: string,
  name: JournalName,
  goOn: () => void = () => {},
): void {
  const sealed = sealedName(name.path);
  const temporary = `${sealed}.new`;
  const plain = disk.openSync(name.path, "r");
  try {
    const fd = disk.openSync(temporary, "w+");
    try {
      writeSealed(disk, name, plain, fd, goOn);
      disk.fdatasyncSync(fd);
      verify(disk, name, plain, fd, goOn);
    } catch (error) {
      disk.unlinkSync(temporary);
      throw error;
    } finally {
      disk.closeSync(fd);
    }
  } finally {
    disk.closeSync(plain);
  }
  disk.renameSync(temporary, sealed);
  syncDirectory(disk, directory);
  disk.unlinkSync(name.path);
  syncDirectory(disk, directory);
}

function writeSealed(
  disk: Disk,
  name: JournalName,
  plain: number,
  fd: number,
  goOn: () => void,
): void {
  const { ranges, nextSeq, plainBytes } = memberRanges(disk, name, goOn);
  const members: Member[] = [];
  let offset = 0;
  for (const [i, { firstSeq, plainOffset }] of ranges.entries()) {
    goOn();
    members.push({ firstSeq, plainOffset, offset });
    const end = ranges[i + 1]?.plainOffset ?? plainBytes;
    const content = zlib.gzipSync(readRange(disk, plain, plainOffset, end));
    offset += writeFully(disk, fd, [content], offset);
  }
  const header = readRange(disk, plain, 0, FILE_HEADER_BYTES);
  writeFully(disk, fd, [encodeIndex({ header, plainBytes, nextSeq, members })], offset);
}

/** Cuts a file at frame boundaries into pieces of about {@link MEMBER_BYTES}; checks every frame on the way. */
function memberRanges(disk: Disk, name: JournalName, goOn: () => void) {
  const { file, source } = openJournalFile(name, disk);
  try {
    const scanner = new FrameScanner(source, FILE_HEADER_BYTES, file.salt);
    const plainBytes = source.size();
    const memberBytes = Math.max(MEMBER_BYTES, Math.ceil(plainBytes / (MAX_MEMBERS - 1)));
    const ranges = [{ firstSeq: file.firstSeq, plainOffset: 0 }];
    let nextSeq = file.firstSeq;
    for (let read = scanner.next(); read.status !== "end"; read = scanner.next()) {
      if (read.status === "bad") {
        throw journalCorrupt(name.path, `${read.reason} at offset ${read.offset}`);
      }
      goOn();
      const last = ranges.at(-1) as (typeof ranges)[number];
      if (read.offset - last.plainOffset >= memberBytes) {
        ranges.push({ firstSeq: read.frame.firstSeq, plainOffset: read.offset });
      }
      nextSeq = nextSeqOf(read.frame);
    }
    return { ranges, nextSeq, plainBytes };
  } finally {
    source.close();
  }
}

/** The plain file goes away next, so every byte is read back through the index. */
function verify(disk: Disk, name: JournalName, plain: number, fd: number, goOn: () => void): void {
  const opened = openSealed(disk, fd, `${sealedName(name.path)}.new`);
  const size = disk.fstatSync(plain).size;
  let offset = 0;
  while (opened !== null && offset < size) {
    goOn();
    const bytes = opened.source.read(offset, size - offset);
    if (bytes.length === 0) break;
    if (!bytes.equals(readRange(disk, plain, offset, offset + bytes.length))) break;
    offset += bytes.length;
  }
  if (offset < size) {
    throw new Error(`the sealed form of ${name.path} differs from it at offset ${offset}`);
  }
}
