import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { type CatalogEntry, CatalogLog } from "./catalog-log.js";
import { parseSegmentName } from "./segment-id.js";

const segment = parseSegmentName("2026-11-25.1") as number;
const opened: CatalogEntry = { event: "opened", segment, first_seq: 11n };
const sealed: CatalogEntry = {
  event: "sealed",
  segment,
  first_seq: 11n,
  last_seq: 2n ** 60n,
  rows: 3n,
  min_time: null,
  max_time: 5n,
};

function written(...entries: CatalogEntry[]): string {
  const root = temporaryDirectory();
  const log = new CatalogLog(root);
  for (const entry of entries) log.append(entry);
  log.close();
  return root;
}

/** Opens a log, closes it, and gives what it says. */
function reopened(root: string) {
  const log = new CatalogLog(root);
  log.close();
  return { sealed: log.sealed(segment), lastSealed: log.lastSealed(segment) };
}

describe("CatalogLog", () => {
  it("tells after a restart what was sealed", () => {
    expect(reopened(written(opened, sealed))).toEqual({ sealed, lastSealed: sealed });
    expect(reopened(written(opened, sealed, opened))).toEqual({
      sealed: undefined,
      lastSealed: sealed,
    });
  });

  it("cuts a torn last line, wherever it is torn, and writes over it", () => {
    const root = written(opened, sealed);
    const file = path.join(root, "catalog.log");
    const whole = fs.readFileSync(file);
    const first = whole.indexOf("\n") + 1;
    for (let length = first; length < whole.length; length++) {
      fs.writeFileSync(file, whole.subarray(0, length));
      expect(reopened(root).sealed).toBe(undefined);
      const log = new CatalogLog(root);
      log.append(sealed);
      log.close();
      expect(fs.readFileSync(file).equals(whole)).toBe(true);
    }
  });

  it("refuses a damaged line before others", () => {
    const root = written(opened, sealed);
    const file = path.join(root, "catalog.log");
    const bytes = fs.readFileSync(file);
    bytes[20] = (bytes[20] as number) ^ 1;
    fs.writeFileSync(file, bytes);
    expect(() => new CatalogLog(root)).toThrow(/catalog\.log is damaged at offset 0/);
  });

  it("forgets a line whose writing failed", () => {
    const root = written(opened);
    let isFull = true;
    const full = {
      ...fs,
      writevSync: (...args: Parameters<typeof fs.writevSync>) => {
        if (!isFull) return fs.writevSync(...args);
        fs.writevSync(args[0], [(args[1][0] as Buffer).subarray(0, 9)], args[2]);
        throw new Error("ENOSPC");
      },
    };
    const log = new CatalogLog(root, full);
    expect(() => log.append(sealed)).toThrow("ENOSPC");
    expect(log.sealed(segment)).toBe(undefined);
    isFull = false;
    log.append(sealed);
    log.close();
    expect(reopened(root).sealed).toEqual(sealed);
  });
});
