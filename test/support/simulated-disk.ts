import type { Disk } from "@agent-audit/store";

/** What a disk may do to bytes that were not synced: a sector is the unit that is written whole or not at all. */
const SECTOR_BYTES = 512;

type Change = { offset: number; bytes: Buffer } | { truncatedTo: number };

/** A file: what is on the disk, what a process sees, and the changes between the two in order. */
interface Inode {
  durable: Buffer;
  current: Buffer;
  pending: Change[];
}

type Names = Map<string, Inode>;

/** Thrown at the point where a simulated process ends. */
export class SimulatedKill extends Error {}

/** Says which operation fails, and how. */
export interface Fault {
  /** Counted from 1 over the operations that change something. */
  atOperation: number;
  kind: "kill" | "EIO" | "ENOSPC";
}

/**
 * A disk in memory that forgets as real ones do. Bytes are on it only after `fdatasync` of their file, names
 * only after `fsync` of their directory; what a power loss leaves of the rest is drawn from `random`: sectors
 * of any write and changes of any name, in any combination.
 */
export class SimulatedDisk {
  readonly #random: () => number;
  readonly #open = new Map<number, Inode | "directory">();
  #names: Names = new Map();
  #durableNames: Names = new Map();
  #pendingNames: ((names: Names) => void)[] = [];
  #nextFd = 1;
  #operations = 0;
  #fault: Fault | null = null;
  #isKilled = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Makes one operation from now on fail. */
  failAt(fault: Fault | null): void {
    this.#fault = fault;
    this.#operations = 0;
  }

  /** A process ends; the page cache stays. */
  restart(): void {
    this.#isKilled = false;
    this.#fault = null;
    this.#open.clear();
  }

  /** The machine loses power. */
  losePower(): void {
    this.restart();
    const share = this.#shareKept();
    for (const change of this.#pendingNames) {
      if (this.#random() < share) change(this.#durableNames);
    }
    this.#pendingNames = [];
    this.#names = new Map(this.#durableNames);
    for (const inode of new Set(this.#names.values())) this.#tear(inode);
  }

  /** Names and bytes of a directory, as a process sees them. */
  files(): { name: string; bytes: Buffer }[] {
    return [...this.#names].map(([path, { current }]) => ({
      name: path.slice(path.lastIndexOf("/") + 1),
      bytes: current,
    }));
  }

  /** The operations, in the form that the journal takes them. */
  get disk(): Disk {
    return {
      openSync: (path: string, flags: string) => this.#openSync(path, flags),
      closeSync: (fd: number) => {
        this.#open.delete(fd);
      },
      readSync: (fd: number, into: Buffer, at: number, length: number, position: number) =>
        this.#inode(fd).current.copy(into, at, position, position + length),
      writeSync: (fd: number, bytes: Buffer, at: number, length: number, position: number) =>
        this.#write(fd, bytes.subarray(at, at + length), position),
      writevSync: (fd: number, buffers: Buffer[], position: number) =>
        this.#write(fd, Buffer.concat(buffers), position),
      fdatasyncSync: (fd: number) => this.#sync(this.#inode(fd)),
      fsyncSync: (fd: number) => this.#fsync(fd),
      ftruncateSync: (fd: number, size: number) => this.#truncate(this.#inode(fd), size),
      fstatSync: (fd: number) => ({ size: this.#inode(fd).current.length }),
      renameSync: (from: string, to: string) => this.#rename(from, to),
      unlinkSync: (path: string) => this.#changing(() => this.#unlink(path)),
      readdirSync: () => this.files().map(({ name }) => name),
    } as unknown as Disk;
  }

  #openSync(path: string, flags: string): number {
    const fd = this.#nextFd++;
    if (flags.startsWith("w")) {
      this.#changing(() => {
        const existing = this.#names.get(path);
        if (existing !== undefined) this.#truncateNow(existing, 0);
        else this.#link(path, { durable: Buffer.alloc(0), current: Buffer.alloc(0), pending: [] });
      });
    }
    const inode = this.#names.get(path);
    const isDirectory = inode === undefined && !path.includes(".");
    if (inode === undefined && !isDirectory) throw failure("ENOENT", `no such file: ${path}`);
    this.#open.set(fd, inode ?? "directory");
    return fd;
  }

  #inode(fd: number): Inode {
    if (this.#isKilled) throw new SimulatedKill("the process has ended");
    const inode = this.#open.get(fd);
    if (inode === undefined || inode === "directory") throw failure("EBADF", `not a file: ${fd}`);
    return inode;
  }

  #link(path: string, inode: Inode): void {
    this.#rememberName((names) => names.set(path, inode));
  }

  #unlink(path: string): void {
    if (!this.#names.has(path)) throw failure("ENOENT", `no such file: ${path}`);
    this.#rememberName((names) => names.delete(path));
  }

  #rename(from: string, to: string): void {
    this.#changing(() => {
      const inode = this.#names.get(from);
      if (inode === undefined) throw failure("ENOENT", `no such file: ${from}`);
      this.#rememberName((names) => {
        names.delete(from);
        names.set(to, inode);
      });
    });
  }

  #rememberName(change: (names: Names) => void): void {
    change(this.#names);
    this.#pendingNames.push(change);
  }

  /** Now and then writes less than it was asked for, as the call may. */
  #write(fd: number, bytes: Buffer, offset: number): number {
    const inode = this.#inode(fd);
    const isShort = bytes.length > 1 && this.#random() < 0.1;
    const length = isShort ? 1 + Math.floor(this.#random() * (bytes.length - 1)) : bytes.length;
    const written = Buffer.from(bytes.subarray(0, length));
    // A write that fails or is cut off by the process's end may have got anywhere.
    const partly = written.subarray(0, Math.floor(this.#random() * (length + 1)));
    const apply = (part: Buffer) => {
      const change = { offset, bytes: part };
      inode.current = changed(inode.current, change);
      inode.pending.push(change);
    };
    this.#changing(
      () => apply(written),
      () => apply(partly),
    );
    return length;
  }

  #truncate(inode: Inode, size: number): void {
    this.#changing(() => this.#truncateNow(inode, size));
  }

  #truncateNow(inode: Inode, size: number): void {
    const change = { truncatedTo: size };
    inode.current = changed(inode.current, change);
    inode.pending.push(change);
  }

  /** A sync that fails leaves pages marked clean that never reached the disk: the next one does not write them. */
  #sync(inode: Inode): void {
    this.#changing(
      () => {
        for (const change of inode.pending) inode.durable = changed(inode.durable, change);
        inode.pending = [];
      },
      (kind) => {
        if (kind !== "kill") inode.pending = inode.pending.filter(() => this.#random() < 0.5);
      },
    );
  }

  #fsync(fd: number): void {
    const opened = this.#open.get(fd);
    if (opened !== "directory") {
      this.#sync(this.#inode(fd));
      return;
    }
    this.#changing(() => {
      this.#durableNames = new Map(this.#names);
      this.#pendingNames = [];
    });
  }

  /** Runs a change, or fails at it; `onFailure` is what a failed one may have done all the same. */
  #changing(change: () => void, onFailure: (kind: Fault["kind"]) => void = () => {}): void {
    if (this.#isKilled) throw new SimulatedKill("the process has ended");
    this.#operations++;
    if (this.#fault?.atOperation !== this.#operations) {
      change();
      return;
    }
    const { kind } = this.#fault;
    onFailure(kind);
    if (kind !== "kill") throw failure(kind, "injected");
    this.#isKilled = true;
    throw new SimulatedKill("killed");
  }

  /** How much of the unsynced is kept: nothing, everything, or some of it. */
  #shareKept(): number {
    return [0, 1, this.#random()][Math.floor(this.#random() * 3)] as number;
  }

  #tear(inode: Inode): void {
    const share = this.#shareKept();
    let content = inode.durable;
    for (const change of inode.pending) {
      if ("truncatedTo" in change) {
        if (this.#random() < share) content = changed(content, change);
        continue;
      }
      const { offset, bytes } = change;
      const end = offset + bytes.length;
      for (let at = offset; at < end; ) {
        const stop = Math.min(end, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
        if (this.#random() < share) {
          const sector = { offset: at, bytes: bytes.subarray(at - offset, stop - offset) };
          content = changed(content, sector);
        }
        at = stop;
      }
    }
    inode.durable = content;
    inode.current = content;
    inode.pending = [];
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

/** A copy: older states of the file stay what they were. */
function changed(content: Buffer, change: Change): Buffer {
  const size =
    "truncatedTo" in change
      ? change.truncatedTo
      : Math.max(content.length, change.offset + change.bytes.length);
  const result = Buffer.alloc(size);
  content.copy(result);
  if ("bytes" in change) change.bytes.copy(result, change.offset);
  return result;
}
