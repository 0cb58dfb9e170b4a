import fs from "node:fs";
import path from "node:path";

/** Lists the file operations of the journal, all synchronous. Tests pass one that fails where they choose. */
export type Disk = Pick<
  typeof fs,
  | "openSync"
  | "closeSync"
  | "readSync"
  | "writeSync"
  | "writevSync"
  | "fdatasyncSync"
  | "fsyncSync"
  | "ftruncateSync"
  | "fstatSync"
  | "renameSync"
  | "unlinkSync"
  | "readdirSync"
>;

export const nodeDisk: Disk = fs;

/** Writes all buffers at `position`: a short write is continued, not taken for the whole. */
export function writeFully(
  disk: Disk,
  fd: number,
  buffers: readonly Buffer[],
  position: number,
): number {
  const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  let written = disk.writevSync(fd, buffers, position);
  if (written < total) {
    const rest = Buffer.concat(buffers);
    while (written < total) {
      written += disk.writeSync(fd, rest, written, total - written, position + written);
    }
  }
  return total;
}

/** Reads a part of a file. */
export function readRange(disk: Disk, fd: number, start: number, end: number): Buffer {
  const bytes = Buffer.alloc(end - start);
  for (let filled = 0; filled < bytes.length; ) {
    const read = disk.readSync(fd, bytes, filled, bytes.length - filled, start + filled);
    if (read === 0) throw new Error("the file shrank while it was read");
    filled += read;
  }
  return bytes;
}

/** Reads a whole file. */
export function readFile(disk: Disk, file: string): Buffer {
  const fd = disk.openSync(file, "r");
  try {
    return readRange(disk, fd, 0, disk.fstatSync(fd).size);
  } finally {
    disk.closeSync(fd);
  }
}

/** Makes the names in a directory durable: a synced file whose name is lost is lost. */
export function syncDirectory(disk: Disk, directory: string): void {
  const fd = disk.openSync(directory, "r");
  try {
    disk.fsyncSync(fd);
  } finally {
    disk.closeSync(fd);
  }
}

/**
 * Writes a file so that it is there whole, under its name, or not at all.
 *
 * @param isSynced `false` where a loss of power may leave it damaged: its reader must notice
 */
export function replaceFile(
  disk: Disk,
  file: string,
  bytes: readonly Buffer[],
  isSynced = true,
): void {
  const directory = path.dirname(file);
  const temporary = `${file}.new`;
  const fd = disk.openSync(temporary, "w");
  try {
    writeFully(disk, fd, bytes, 0);
    if (isSynced) disk.fdatasyncSync(fd);
  } finally {
    disk.closeSync(fd);
  }
  disk.renameSync(temporary, file);
  if (isSynced) syncDirectory(disk, directory);
}
