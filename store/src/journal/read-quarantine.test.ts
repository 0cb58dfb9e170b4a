import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sampleFrame } from "../../../test/support/sample-frame.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
import { nodeDisk } from "./disk.js";
import { JournalWriter } from "./journal-writer.js";
import { encodeQuarantine } from "./quarantine.js";
import { type QuarantinePlace, readQuarantine, readQuarantineEntry } from "./read-quarantine.js";
import { sealableFiles, sealJournal } from "./seal-journal.js";

const DAY_NANO = 86_400_000_000_000n;
const START = 1_795_392_000_000_000_000n;

/** A journal of three days, each with two records and two entries between them. */
function journalOfThreeDays(): { directory: string; writer: JournalWriter } {
  const directory = temporaryDirectory();
  let now = START;
  const writer = JournalWriter.open({ directory, storeId: "aaaaaaaaaaaa", now: () => now });
  for (let day = 0; day < 3; day++, now += DAY_NANO) {
    writer.rotateIfDue(now);
    for (let i = 0; i < 2; i++) {
      writer.append(sampleFrame({ receivedNano: now }));
      const bytes = Buffer.from(`${day}/${i}`);
      const payload = encodeQuarantine({ reason: `reason ${day}/${i}`, bytes });
      writer.append(
        sampleFrame({ kind: "quarantine", recordCount: 0, receivedNano: now, payload }),
      );
    }
  }
  writer.sync();
  return { directory, writer };
}

const walk = (directory: string, limit: number): string[] => {
  const found: string[] = [];
  let before: QuarantinePlace | null = null;
  do {
    const page = readQuarantine(directory, before, limit);
    found.push(...page.entries.map(({ bytes }) => Buffer.from(bytes).toString()));
    before = page.next;
  } while (before !== null);
  return found;
};

const sealAll = (directory: string) => {
  for (const file of sealableFiles(directory, nodeDisk)) sealJournal(nodeDisk, directory, file);
};

const ALL = ["2/1", "2/0", "1/1", "1/0", "0/1", "0/0"];

describe("readQuarantine", () => {
  it.each([1, 2, 4, 100])("gives everything once, newest first, %i a page", (limit) => {
    expect(walk(journalOfThreeDays().directory, limit)).toEqual(ALL);
  });

  it("reads sealed files", () => {
    const { directory } = journalOfThreeDays();
    sealAll(directory);
    expect(fs.readdirSync(directory).filter((name) => name.endsWith(".gz"))).toHaveLength(2);
    expect(walk(directory, 4)).toEqual(ALL);
  });

  it("says after which record, when and why", () => {
    const { directory } = journalOfThreeDays();
    const [newest] = readQuarantine(directory, null, 1).entries;
    expect(newest).toMatchObject({
      afterSeq: 6n,
      receivedNano: START + 2n * DAY_NANO,
      reason: "reason 2/1",
    });
  });

  it("passes over the end of a file that is written to", () => {
    const { directory } = journalOfThreeDays();
    const newest = path.join(directory, fs.readdirSync(directory).sort().at(-1) as string);
    fs.truncateSync(newest, fs.statSync(newest).size - 3);
    expect(walk(directory, 100)).toEqual(ALL.slice(1));
  });

  it("reports a damaged file", () => {
    const { directory } = journalOfThreeDays();
    const oldest = path.join(directory, fs.readdirSync(directory).sort()[0] as string);
    fs.truncateSync(oldest, fs.statSync(oldest).size - 3);
    expect(() => walk(directory, 100)).toThrow(/cut off/);
  });
});

describe("readQuarantineEntry", () => {
  it("finds an entry again, sealed or not, and nothing elsewhere", () => {
    const { directory } = journalOfThreeDays();
    const entry = readQuarantine(directory, null, 100).entries.at(-1);
    if (entry === undefined) throw new Error("no entry");
    expect(readQuarantineEntry(directory, entry)).toEqual(entry);
    sealAll(directory);
    expect(readQuarantineEntry(directory, entry)).toEqual(entry);
    for (const offset of [0, entry.offset + 1, 2 ** 50]) {
      expect(readQuarantineEntry(directory, { ...entry, offset })).toBeNull();
    }
    expect(readQuarantineEntry(directory, { fileSeq: 999n, offset: 44 })).toBeNull();
  });
});
