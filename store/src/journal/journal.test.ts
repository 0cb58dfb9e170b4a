import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sampleFrame } from "../../../test/support/sample-frame.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
import { dayOf } from "../segment-id.js";
import { encodeFrame, FILE_HEADER_BYTES, type Frame } from "./format.js";
import { listJournalFiles } from "./journal-files.js";
import { JournalReader } from "./journal-reader.js";
import { JournalWriter, type NewFrame } from "./journal-writer.js";

const DAY = 86_400_000_000_000n;
const TODAY = 20_000n * DAY;
const STORE_ID = "abcdefghij23";

/** Appends as the journal's thread does: first the file, then the frame. */
const append = (journal: JournalWriter, newFrame: NewFrame) => {
  journal.rotateIfDue(newFrame.receivedNano);
  return journal.append(newFrame);
};

const open = (directory: string, options: { rotateBytes?: number; now?: bigint } = {}) =>
  JournalWriter.open({
    directory,
    storeId: STORE_ID,
    now: () => options.now ?? TODAY,
    ...(options.rotateBytes === undefined ? {} : { rotateBytes: options.rotateBytes }),
  });

const frame = (text: string, change: Partial<NewFrame> = {}) =>
  sampleFrame({ receivedNano: TODAY, payload: Buffer.from(text), ...change });

const readAll = (directory: string, upto: bigint, from = 1n) => {
  const reader = new JournalReader(directory, from);
  const texts: string[] = [];
  for (let next = reader.next(upto); next !== null; next = reader.next(upto)) {
    texts.push(`${next.frame.firstSeq}:${Buffer.from(next.frame.payload).toString()}`);
  }
  reader.close();
  return texts;
};

const fileOf = (directory: string, seq = 1) =>
  path.join(directory, `${String(seq).padStart(20, "0")}.journal`);

describe("JournalWriter", () => {
  it("gives sequences without holes, across files and starts", () => {
    const directory = temporaryDirectory();
    const first = open(directory, { rotateBytes: 170 });
    expect(append(first, frame("a"))).toBe(1n);
    expect(append(first, frame("bb", { recordCount: 2 }))).toBe(2n);
    expect(append(first, frame("c"))).toBe(4n);
    first.sync();
    expect(first.syncedSeq).toBe(4n);
    first.close();
    const second = open(directory);
    expect(append(second, frame("d"))).toBe(5n);
    second.close();
    expect(readAll(directory, 5n)).toEqual(["1:a", "2:bb", "4:c", "5:d"]);
    expect(readAll(directory, 5n, 3n)).toEqual(["2:bb", "4:c", "5:d"]);
    expect(listJournalFiles(directory).map(({ firstSeq }) => firstSeq)).toEqual([1n, 4n, 5n]);
  });

  it("begins a new file on a new receive day and never goes back to an older one", () => {
    const directory = temporaryDirectory();
    const journal = open(directory);
    append(journal, frame("a"));
    append(journal, frame("b", { receivedNano: TODAY + DAY }));
    append(journal, frame("c", { receivedNano: TODAY - DAY }));
    journal.close();
    const days = listJournalFiles(directory).map(({ segment }) => dayOf(segment));
    expect(days).toEqual([20_000, 20_001]);
    expect(open(directory).nextSeq).toBe(4n);
  });

  it("keeps what was quarantined before the first record of the next start", () => {
    const directory = temporaryDirectory();
    const journal = open(directory);
    append(journal, frame("bad", { kind: "quarantine", recordCount: 0 }));
    journal.close();
    const next = open(directory);
    append(next, frame("good"));
    next.close();
    expect(fs.readFileSync(fileOf(directory)).includes("bad")).toBe(true);
    expect(readAll(directory, 1n)).toEqual(["1:good"]);
  });

  it("keeps what was quarantined before the first record of a new day", () => {
    const directory = temporaryDirectory();
    const journal = open(directory, { rotateBytes: 1 });
    append(journal, frame("bad", { kind: "quarantine", recordCount: 0 }));
    append(journal, frame("worse", { kind: "quarantine", recordCount: 0 }));
    append(journal, frame("good", { receivedNano: TODAY + DAY }));
    journal.close();
    const bytes = fs.readFileSync(fileOf(directory));
    expect(bytes.includes("bad") && bytes.includes("worse")).toBe(true);
    expect(readAll(directory, 1n)).toEqual(["1:good"]);
  });

  it("replaces the empty file of a start that wrote nothing", () => {
    const directory = temporaryDirectory();
    open(directory).close();
    open(directory).close();
    expect(fs.readdirSync(directory)).toEqual(["00000000000000000001.journal"]);
  });
});

describe("recoverJournal", () => {
  const written = (...texts: string[]) => {
    const directory = temporaryDirectory();
    const journal = open(directory);
    for (const text of texts) {
      append(journal, frame(text));
      journal.sync();
    }
    journal.close();
    return directory;
  };

  it.each([1, 4, 20, 68])("cuts a frame whose last %d bytes were not written", (missing) => {
    const directory = written("a", "b");
    const file = fileOf(directory);
    fs.truncateSync(file, fs.statSync(file).size - missing);
    const journal = open(directory);
    expect(journal.cut).toMatchObject({ file, reason: expect.stringMatching(/cut off/) });
    expect(append(journal, frame("c"))).toBe(2n);
    journal.close();
    expect(readAll(directory, 2n)).toEqual(["1:a", "2:c"]);
  });

  it("cuts a frame of which a part in the middle was not written", () => {
    const directory = written("a", "b");
    const bytes = fs.readFileSync(fileOf(directory));
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] as number) ^ 0xff;
    fs.writeFileSync(fileOf(directory), bytes);
    expect(open(directory).cut?.reason).toBe("the checksum does not match");
  });

  it("stops when a damaged frame is followed by one that proves it was synced", () => {
    const directory = written("a", "b", "c");
    const file = fileOf(directory);
    const bytes = fs.readFileSync(file);
    bytes[FILE_HEADER_BYTES + 30] = 0xff;
    fs.writeFileSync(file, bytes);
    expect(() => open(directory)).toThrow(`${file} is damaged at offset ${FILE_HEADER_BYTES}`);
  });

  it("cuts a damaged frame when what follows it was written in the same unsynced group", () => {
    const directory = temporaryDirectory();
    const journal = open(directory);
    append(journal, frame("a"));
    journal.sync();
    append(journal, frame("b"));
    append(journal, frame("c"));
    journal.close();
    const bytes = fs.readFileSync(fileOf(directory));
    const at = bytes.lastIndexOf("AAFR", bytes.lastIndexOf("AAFR") - 1);
    bytes[at + 66] = 0xff;
    fs.writeFileSync(fileOf(directory), bytes);
    const next = open(directory);
    expect(next.cut?.offset).toBe(at);
    expect(next.nextSeq).toBe(2n);
  });

  it("is not deceived by a frame that a client put into a body", () => {
    const forged = encodeFrame({ ...frame("x"), firstSeq: 9n, syncedUpto: 99n } as Frame, 0);
    const directory = temporaryDirectory();
    const journal = open(directory);
    append(journal, frame("a"));
    journal.sync();
    append(journal, frame("b", { payload: Buffer.concat([...forged, Buffer.alloc(50)]) }));
    journal.close();
    fs.truncateSync(fileOf(directory), fs.statSync(fileOf(directory)).size - 10);
    expect(open(directory).nextSeq).toBe(2n);
  });

  it("searches a torn frame of a megabyte of frame beginnings in a moment", () => {
    const directory = temporaryDirectory();
    const journal = open(directory);
    append(
      journal,
      frame("a", { payload: Buffer.from("AAFR\u0000\u0000\u0008\u0000".repeat(131_072)) }),
    );
    journal.close();
    fs.truncateSync(fileOf(directory), fs.statSync(fileOf(directory)).size - 1);
    const begin = performance.now();
    expect(open(directory).nextSeq).toBe(1n);
    expect(performance.now() - begin).toBeLessThan(5 * 500);
  });

  it("searches a torn frame of many megabytes of frame beginnings once", () => {
    const directory = temporaryDirectory();
    const journal = open(directory);
    append(journal, frame("a", { payload: Buffer.alloc(8 * 1024 * 1024, "AAFR") }));
    journal.close();
    fs.truncateSync(fileOf(directory), fs.statSync(fileOf(directory)).size - 1);
    const begin = performance.now();
    expect(open(directory).nextSeq).toBe(1n);
    expect(performance.now() - begin).toBeLessThan(5 * 2000);
  });

  it("passes over a newest file that never got its header", () => {
    const directory = written("a");
    fs.writeFileSync(fileOf(directory, 2), Buffer.alloc(10));
    const journal = open(directory);
    expect(append(journal, frame("b"))).toBe(2n);
    journal.close();
    expect(readAll(directory, 2n)).toEqual(["1:a", "2:b"]);
  });

  it("refuses the journal of another store", () => {
    const directory = written("a");
    const other = () =>
      JournalWriter.open({ directory, storeId: "zzzzzzzzzzzz", now: () => TODAY });
    expect(other).toThrow(/belongs to store abcdefghij23/);
  });

  it("writes the tail again that no frame proves synced", () => {
    const directory = written("a", "b");
    const rewritten: number[] = [];
    const disk = new Proxy(fs, {
      get: (target, name) =>
        name === "writevSync"
          ? (fd: number, buffers: Buffer[], position: number) => {
              rewritten.push(position);
              return fs.writevSync(fd, buffers, position);
            }
          : Reflect.get(target, name),
    });
    const second = encodeFrame({ ...frame("a"), firstSeq: 1n, syncedUpto: 0n } as Frame, 0);
    const offset = FILE_HEADER_BYTES + Buffer.concat(second).length;
    JournalWriter.open({ directory, storeId: STORE_ID, now: () => TODAY, disk });
    expect(rewritten[0]).toBe(offset);
  });
});
