import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../../test/support/sample-logs.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
import { JournalWriter } from "../journal/journal-writer.js";
import { InlineIdentityWriter, loadKnownAtStart } from "./identity-file.js";
import { encodeIdentity, type KnownAtStart } from "./identity-format.js";
import { IntervalSet } from "./interval-set.js";
import { RecentKeys } from "./recent-keys.js";
import { identityScanner } from "./record-identity.js";
import { SeenRecords } from "./seen-records.js";
import { StreamSequences } from "./stream-sequences.js";

const key = (n: number) => Uint32Array.of(n & 7, n, n * 3, 9);

describe("IntervalSet", () => {
  it("holds what a set holds, in as few intervals as there can be", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 })), (values) => {
        const set = new IntervalSet();
        for (const value of values) set.add(value);
        const plain = new Set(values);
        for (let i = 0; i <= 61; i++) expect(set.has(i)).toBe(plain.has(i));
        const intervals = set.toJSON();
        for (const [i, [first, last]] of intervals.entries()) {
          expect(first).toBeLessThanOrEqual(last);
          expect(first).toBeGreaterThan((intervals[i - 1]?.[1] ?? -1) + 1);
        }
        const highest = Math.max(0, ...values);
        const missing = Array.from({ length: highest }, (_, i) => i + 1).filter(
          (value) => !plain.has(value),
        );
        const gaps = missing.filter((value) => !missing.includes(value - 1));
        for (const same of [set, new IntervalSet(intervals)]) {
          expect(same.toJSON()).toEqual(intervals);
          expect(same.missingCount).toBe(missing.length);
          expect(same.gapCount).toBe(gaps.length);
        }
      }),
    );
  });
});

describe("RecentKeys", () => {
  it("remembers exactly the last keys, whatever their slots, and the newest checksum of each", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 60 }), { maxLength: 300 }), (values) => {
        const keys = new RecentKeys(16);
        const expected = new Map<number, number>();
        for (const [i, value] of values.entries()) {
          keys.add(key(value), i);
          expected.set(value, i);
          if (expected.size > 16) expected.delete(expected.keys().next().value as number);
        }
        for (let n = 0; n <= 60; n++) {
          expect(keys.checksumOf(key(n))).toBe(expected.get(n) ?? null);
        }
        const [older, newer, ...checksums] = keys.views().map((view) => [...view]);
        const words = [...(older ?? []), ...(newer ?? [])];
        expect(words.filter((_, i) => i % 4 === 1)).toEqual([...expected.keys()]);
        expect(checksums.flat()).toEqual([...expected.values()]);
      }),
    );
  });
});

const save = (directory: string, firstSeq: bigint, known: KnownAtStart) =>
  new InlineIdentityWriter(directory).write({
    firstSeq,
    isSynced: true,
    bytes: encodeIdentity(known),
  });

describe("the identity file", () => {
  it("that is ahead of the journal is not read, and goes when the next is written: later it would pass for the newest", () => {
    const directory = temporaryDirectory();
    const nothing = { seen: new SeenRecords(), quarantined: null };
    JournalWriter.open({ directory, storeId: "abcdefghij23", now: () => 1n }).close();
    save(directory, 100n, {
      ...nothing,
      quarantined: { day: 1, bytes: 1, fileSeq: 100n },
    });
    const names = () => fs.readdirSync(directory).map((name) => Number(name.slice(0, 20)));
    expect(loadKnownAtStart(directory, 0n).quarantined).toBe(null);
    expect(names()).toEqual([1, 100]);
    save(directory, 5n, nothing);
    expect(names()).toEqual([1, 5]);
  });

  it("that is ahead of the journal goes before the next is made durable, so that a loss of power cannot bring it back", () => {
    const directory = temporaryDirectory();
    const nothing = { seen: new SeenRecords(), quarantined: null };
    save(directory, 100n, nothing);
    const left: string[][] = [];
    const fsyncSync: typeof fs.fsyncSync = (fd) => {
      left.push(fs.readdirSync(directory));
      fs.fsyncSync(fd);
    };
    const writer = new InlineIdentityWriter(directory, { ...fs, fsyncSync });
    writer.write({ firstSeq: 5n, isSynced: true, bytes: encodeIdentity(nothing) });
    expect(left).toEqual([["00000000000000000005.ids"]]);
  });

  it("that a crash left half written goes when the next is written", () => {
    const directory = temporaryDirectory();
    fs.writeFileSync(path.join(directory, "00000000000000000007.ids.new"), "half");
    save(directory, 1n, { seen: new SeenRecords(), quarantined: null });
    expect(fs.readdirSync(directory)).toEqual(["00000000000000000001.ids"]);
  });

  it("knows nothing of a record whose frame a crash at the rotation kept from the disk", () => {
    const directory = temporaryDirectory();
    const seen = new SeenRecords();
    const common = {
      digest: () => Buffer.alloc(16),
      keyId: "",
      orgId: "",
      projectId: "",
      receivedNano: 1n,
    };
    const request = (id: string) => {
      const payload = sampleBody(sampleEvent({ id }));
      return { ...common, payload, scan: identityScanner().scan(payload) };
    };
    const journal = JournalWriter.open({
      directory,
      storeId: "abcdefghij23",
      now: () => 1n,
      rotateBytes: 1,
      onRotate: (firstSeq) => save(directory, firstSeq, { seen, quarantined: null }),
    });
    const store = (id: string) => {
      journal.rotateIfDue(1n);
      expect(seen.classify(request(id))).toEqual(["new"]);
      const { scan: _, ...frame } = request(id);
      journal.append({
        ...frame,
        digest: frame.digest(),
        kind: "records",
        recordCount: 1,
        agentId: "",
      });
      journal.sync();
    };
    store("a");
    // The crash: the file is rotated and the record decided about, but its frame is never written.
    journal.rotateIfDue(1n);
    seen.classify(request("b"));
    const { seen: after } = loadKnownAtStart(directory, journal.syncedSeq);
    expect(after.classify(request("a"))).toEqual(["duplicate"]);
    expect(after.classify(request("b"))).toEqual(["new"]);
  });
});

describe("SeenRecords", () => {
  it("lets no key take sequences of another's stream, and knows a batch again after a rotation", () => {
    const seen = new SeenRecords(new Map(), new RecentKeys(4));
    const classify = (keyId: string, sequence: number, action = "a") => {
      const payload = sampleBody(sampleEvent({ stream: { id: "s", sequence }, action }));
      const scan = identityScanner().scan(payload);
      const digest = () => Buffer.alloc(16);
      return seen.classify({ payload, scan, digest, orgId: "o", keyId, receivedNano: 1n })[0];
    };
    for (let sequence = 1; sequence <= 9; sequence++) classify("mallory", sequence, "forged");
    // Long ago, so that contents cannot be compared any more.
    expect(classify("victim", 1)).toBe("new");
    expect(classify("victim", 1)).toBe("duplicate");
    // Just now: what differs is kept beside the first, what is equal is a retry under a rotated key.
    expect(classify("victim", 9)).toBe("conflict");
    expect(classify("victim", 9)).toBe("duplicate");
    expect(classify("rotated", 1)).toBe("duplicate");
    expect(classify("mallory", 2, "forged")).toBe("duplicate");
    expect(classify("victim", 11)).toBe("new");
    for (let sequence = 20; sequence < 25; sequence++) classify("victim", sequence);
    expect(classify("victim", 9), "when neither content is remembered").toBe("duplicate");
    expect(seen.totals).toEqual({ streams: 1, gaps: 2, missing: 9 });
  });

  it("is whole again from its file, whatever the number of streams", () => {
    const directory = temporaryDirectory();
    const streams = new Map(
      Array.from({ length: 5_000 }, (_, i) => {
        const stream = new StreamSequences("k", [[1, i + 2]]);
        if (i % 2 === 0) stream.add("other", i + 4);
        return [JSON.stringify(["o", `${"\u0001".repeat(100)}${i}`]), stream];
      }),
    );
    const requests = new Map([["digest", 5n]]);
    const seen = new SeenRecords(streams, new RecentKeys(), requests);
    JournalWriter.open({ directory, storeId: "abcdefghij23", now: () => 1n }).close();
    const quarantined = { day: 20_000, bytes: 123, fileSeq: 2n ** 60n + 1n };
    save(directory, 1n, { seen, quarantined });
    const { seen: again, quarantined: quarantinedAgain } = loadKnownAtStart(directory, 0n);
    expect(quarantinedAgain).toEqual(quarantined);
    expect(again.totals).toEqual(seen.totals);
    expect(again.requests).toEqual(requests);
    for (const [key, stream] of streams) {
      expect(again.streams.get(key)?.entries()).toEqual(stream.entries());
    }
  });

  it("knows each content of an id as long as that one is among the recent", () => {
    const seen = new SeenRecords(new Map(), new RecentKeys(8));
    const classify = (id: string, action: string) => {
      const payload = sampleBody(sampleEvent({ id, action }));
      const scan = identityScanner().scan(payload);
      const digest = () => Buffer.alloc(16);
      return seen.classify({ payload, scan, digest, orgId: "", keyId: "", receivedNano: 1n })[0];
    };
    expect([classify("x", "first"), classify("x", "second")]).toEqual(["new", "conflict"]);
    for (let i = 0; i < 7; i++) expect(classify(`other-${i}`, "a")).toBe("new");
    // By now the first content is forgotten, the second is not.
    expect(classify("x", "second")).toBe("duplicate");
  });
});
