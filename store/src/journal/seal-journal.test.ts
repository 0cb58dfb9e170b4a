import fs from "node:fs";
import path from "node:path";
import zlib, { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  findSequence,
  type PageFrame,
  readJournalFiles,
} from "../../../test/support/independent-journal-reader.js";
import { sampleFrame } from "../../../test/support/sample-frame.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
// Built, since it starts a thread from its own file.
import { Sealer } from "../../dist/journal/sealer.js";
import { dayOf } from "../segment-id.js";
import { type Disk, nodeDisk } from "./disk.js";
import { journalFileName, journalNames, listJournalFiles } from "./journal-files.js";
import { JournalReader } from "./journal-reader.js";
import { JournalWriter } from "./journal-writer.js";
import { sealableFiles, sealJournal } from "./seal-journal.js";

const DAY = 86_400_000_000_000n;
const TODAY = 20_000n * DAY;
const MIB = 1024 * 1024;
const FRAMES = 300;
const PAYLOAD_BYTES = 20_000;

const payloadOf = (seq: bigint) =>
  Buffer.concat([Buffer.from(`${seq}:`), Buffer.alloc(PAYLOAD_BYTES, Number(seq % 251n))]);

/** Writes one day of several megabytes, and a frame of the next day. */
function twoDays(): string {
  const directory = temporaryDirectory();
  const journal = JournalWriter.open({ directory, storeId: "abcdefghij23", now: () => TODAY });
  for (let i = 0; i <= FRAMES; i++) {
    const receivedNano = i < FRAMES ? TODAY : TODAY + DAY;
    journal.rotateIfDue(receivedNano);
    const payload = payloadOf(journal.nextSeq);
    journal.append(sampleFrame({ recordCount: 2, receivedNano, payload }));
    if (i % 50 === 7) {
      journal.append(sampleFrame({ kind: "quarantine", recordCount: 0, receivedNano, payload }));
    }
  }
  journal.close();
  return directory;
}

const plainFile = (directory: string) => path.join(directory, journalFileName(1n));

const seal = (directory: string, disk: Disk = nodeDisk) => {
  for (const name of sealableFiles(directory, disk)) sealJournal(disk, directory, name);
};

const readFrom = (directory: string, fromSeq: bigint, disk: Disk = nodeDisk) => {
  const reader = new JournalReader(directory, fromSeq, disk);
  const firsts: bigint[] = [];
  for (let next = reader.next(602n); next !== null; next = reader.next(602n)) {
    expect(Buffer.from(next.frame.payload).equals(payloadOf(next.frame.firstSeq))).toBe(true);
    firsts.push(next.frame.firstSeq);
  }
  reader.close();
  return firsts;
};

/** Bytes that are read from the disk to find one record. */
const bytesToFind = (directory: string, seq: bigint) => {
  let readBytes = 0;
  const disk: Disk = {
    ...nodeDisk,
    readSync: ((fd: number, ...rest: [Buffer, number, number, number]) => {
      const read = nodeDisk.readSync(fd, ...rest);
      readBytes += read;
      return read;
    }) as Disk["readSync"],
  };
  const reader = new JournalReader(directory, seq, disk);
  expect(reader.next(602n)?.frame.firstSeq).toBe(seq - 1n + (seq % 2n));
  reader.close();
  return readBytes;
};

const filesOf = (directory: string) =>
  fs.readdirSync(directory).map((name) => ({
    name,
    bytes: fs.readFileSync(path.join(directory, name)),
  }));

const ALL = Array.from({ length: FRAMES + 1 }, (_, i) => BigInt(i * 2 + 1));

describe("sealJournal", () => {
  it("leaves a gzip file of the same bytes in place of an older day's plain one", () => {
    const directory = twoDays();
    const before = fs.readFileSync(plainFile(directory));
    seal(directory);
    expect(fs.existsSync(plainFile(directory))).toBe(false);
    const sealed = fs.readFileSync(`${plainFile(directory)}.gz`);
    expect(zlib.gunzipSync(sealed).equals(before)).toBe(true);
    expect(
      listJournalFiles(directory).map((f) => [f.firstSeq, f.isSealed, dayOf(f.segment)]),
    ).toEqual([
      [1n, true, 20_000],
      [601n, false, 20_001],
    ]);
    expect(sealableFiles(directory, nodeDisk)).toEqual([]);
  });

  it("keeps every record readable, from any sequence on", () => {
    const directory = twoDays();
    seal(directory);
    expect(readFrom(directory, 1n)).toEqual(ALL);
    for (const from of [2n, 15n, 101n, 102n, 300n, 599n, 600n, 601n]) {
      const firsts = ALL.filter((first) => first + 1n >= from);
      expect(readFrom(directory, from)).toEqual(firsts);
    }
  });

  it("writes what its documentation says, for a reader that knows nothing else", () => {
    const directory = twoDays();
    const before = readJournalFiles(filesOf(directory)).flatMap(({ frames }) => frames);
    seal(directory);
    const sealed = filesOf(directory);
    const after = readJournalFiles(sealed).flatMap(({ frames }) => frames);
    const summary = (frames: readonly PageFrame[]) =>
      frames.map(({ firstSeq, kind, offset, payload }) => [firstSeq, kind, offset, crc32(payload)]);
    expect(summary(after)).toEqual(summary(before));
    for (const seq of [1n, 2n, 333n, 600n, 601n]) {
      expect(findSequence(sealed, seq)?.firstSeq).toBe(seq - 1n + (seq % 2n));
    }
    expect(findSequence(sealed, 603n)).toBeNull();
  });

  it("lets one record be found without reading the whole file, sealed or not", () => {
    const directory = twoDays();
    const plainBytes = fs.statSync(plainFile(directory)).size;
    expect(plainBytes).toBeGreaterThan(5 * MIB);
    expect(bytesToFind(directory, 400n)).toBeLessThan(plainBytes / 3);
    seal(directory);
    const sealedBytes = fs.statSync(`${plainFile(directory)}.gz`).size;
    expect(bytesToFind(directory, 400n)).toBeLessThan(sealedBytes / 3);
  });

  it("loses nothing when it ends at any of its steps, and can be done again", () => {
    const changing = [
      "openSync",
      "writevSync",
      "fdatasyncSync",
      "renameSync",
      "fsyncSync",
      "unlinkSync",
    ] as const;
    let steps = 0;
    for (let failing = 1; ; failing++) {
      const directory = twoDays();
      let left = failing;
      const disk = Object.fromEntries(
        Object.entries(nodeDisk).map(([name, action]) => [
          name,
          (...args: unknown[]) => {
            if ((changing as readonly string[]).includes(name) && --left <= 0)
              throw new Error("killed");
            return (action as (...args: unknown[]) => unknown)(...args);
          },
        ]),
      ) as Disk;
      let isDone = true;
      try {
        seal(directory, disk);
      } catch {
        isDone = false;
      }
      expect(readFrom(directory, 1n)).toEqual(ALL);
      seal(directory);
      expect(readFrom(directory, 1n)).toEqual(ALL);
      expect(journalNames(directory).map(({ isSealed }) => isSealed)).toEqual([true, false]);
      if (isDone) break;
      steps = failing;
    }
    expect(steps).toBeGreaterThan(10);
  });

  it("leaves a file alone that has a damaged frame", () => {
    const directory = twoDays();
    const bytes = fs.readFileSync(plainFile(directory));
    bytes[100_000] = (bytes[100_000] as number) ^ 1;
    fs.writeFileSync(plainFile(directory), bytes);
    expect(() => seal(directory)).toThrow(/the checksum does not match at offset/);
    expect(fs.readdirSync(directory).sort()).toEqual([journalFileName(1n), journalFileName(601n)]);
    expect(fs.readFileSync(plainFile(directory)).equals(bytes)).toBe(true);
  });

  it("says which file and member are damaged, and reads what stands before", () => {
    const directory = twoDays();
    seal(directory);
    const file = `${plainFile(directory)}.gz`;
    const bytes = fs.readFileSync(file);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] as number) ^ 0xff;
    fs.writeFileSync(file, bytes);
    expect(() => readFrom(directory, 1n)).toThrow(/\.journal\.gz\): the gzip member at \d+/);
    expect(readFrom(directory, 601n)).toEqual([601n]);
    fs.truncateSync(file, middle);
    expect(() => listJournalFiles(directory)).toThrow(/the index is damaged/);
  });

  it("lets a store go on from sealed files alone", () => {
    const directory = twoDays();
    seal(directory);
    fs.rmSync(path.join(directory, journalFileName(601n)));
    const journal = JournalWriter.open({ directory, storeId: "abcdefghij23", now: () => TODAY });
    expect(journal.nextSeq).toBe(601n);
    expect(journal.day).toBe(20_000);
    journal.close();
  });
});

describe("the sealing thread", () => {
  it("ends by itself when it is closed at any moment, and leaves each file whole in one form", async () => {
    const errors: string[] = [];
    for (const millis of [0, 20, 40, 60, 80, 100, 120, 140, 160, 200]) {
      const directory = twoDays();
      const guard = { minFreeBytes: 0, minFreePercent: 0 };
      const sealer = new Sealer(directory, guard, (message) => errors.push(message));
      sealer.seal();
      await new Promise((resolve) => setTimeout(resolve, millis));
      await sealer.close();
      expect(fs.readdirSync(directory).filter((name) => name.endsWith(".new"))).toEqual([]);
      expect(readFrom(directory, 1n).length).toBe(FRAMES + 1);
    }
    expect(errors).toEqual([]);
  });
});
