import fs from "node:fs";
import path from "node:path";
import type { QuarantinePlace } from "@agent-audit/store";
import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startStore } from "../../test/support/start-store.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

const DAY = 86_400_000_000_000n;

type Started = Awaited<ReturnType<typeof startStore>>;

const rows = async ({ store }: Started, columns = "seq") => {
  expect(await store.waitForApplied(store.position.syncedSeq, 20_000)).toBe(true);
  // Records of a day that had ended when the store began to follow are applied last.
  const states = async () => (await store.status()).segments.map(({ state }) => state);
  await expect.poll(states, { timeout: 20_000 }).not.toContain("rebuilding");
  const snapshot = await store.snapshot();
  const union = snapshot.tables.map((table) => `SELECT * FROM ${table}`).join(" UNION ALL ");
  return await snapshot.query({ sql: `SELECT ${columns} FROM (${union}) ORDER BY seq` });
};

const body = (...actions: string[]) =>
  sampleBody(...actions.map((action) => sampleEvent({ action })));

describe("Store", () => {
  it("makes what the journal holds visible, value by value", async () => {
    const started = await startStore(temporaryDirectory());
    started.append(
      sampleBody(
        sampleEvent({
          id: "id-1",
          duration: 2_100_000_001n,
          result: "failure",
          errorType: "1",
          exitCode: -1,
          redacted: ["a"],
          action: "a longer action \u0000 with NUL and ümlaut",
          usage: { inputTokens: 5_000_000_000, cost: 1.5e-9 },
          content: { "agent_audit.process.stdout": "out" },
          metadata: { "x.list": [1n, "zwei"], "process.pid": 4n },
        }),
        sampleEvent(),
      ),
      2,
      7n * DAY + 5n,
    );
    const [first, second] = await rows(
      started,
      "id, time, received_time, duration_ns, result, exit_code, redacted, action, input_tokens, cost_nano, content, attributes, service_name, source",
    );
    expect(first).toEqual([
      "id-1",
      1_790_000_000_000_000_000n,
      7n * DAY + 5n,
      2_100_000_001n,
      "failure",
      -1,
      '["a"]',
      "a longer action \u0000 with NUL and ümlaut",
      5_000_000_000n,
      2n,
      '{"agent_audit.process.stdout":"out"}',
      [
        { key: "agent_audit.cost.amount", value: "1.5e-9" },
        { key: "x.list", value: '[1,"zwei"]' },
        { key: "process.pid", value: "4" },
      ],
      "sample",
      "shell",
    ]);
    expect(second?.slice(0, 2)).toEqual([`${started.store.storeId}-2`, 1_790_000_000_000_000_000n]);
  });

  it("goes on where it was, and applies what it missed", async () => {
    const data = temporaryDirectory();
    const first = await startStore(data);
    await first.following;
    first.append(body("a", "b"), 2);
    await rows(first);
    await first.stop();
    const second = await startStore(data);
    second.append(body("c"), 1);
    await second.following;
    expect(await rows(second)).toEqual([[1n], [2n], [3n]]);
  });

  it.each([
    ["deleted", (file: string) => fs.rmSync(file)],
    ["cut in half", (file: string) => fs.truncateSync(file, fs.statSync(file).size / 2)],
    ["overwritten", (file: string) => fs.writeFileSync(file, Buffer.alloc(20_000, 7))],
  ])("rebuilds a segment that was %s", async (_, damage) => {
    const data = temporaryDirectory();
    const today = BigInt(Date.now()) * 1_000_000n;
    const first = await startStore(data, () => today - DAY);
    first.append(body("a", "b"), 2, today - DAY);
    first.append(body("c"), 1, today);
    expect((await rows(first)).length).toBe(3);
    await first.stop();
    const [yesterday] = fs.readdirSync(path.join(data, "events")).sort();
    damage(path.join(data, "events", yesterday as string));
    const second = await startStore(data);
    await second.following;
    await expect
      .poll(async () => (await second.store.status()).segments.map(({ state }) => state))
      .toEqual(["sealed", "open"]);
    expect(await rows(second, "seq, action")).toEqual([
      [1n, "a"],
      [2n, "b"],
      [3n, "c"],
    ]);
    expect(second.progress).toMatchObject([{ records: 2, totalRecords: 2 }]);
    expect((await second.store.status()).segments.map(({ progress }) => progress)).toEqual([
      null,
      null,
    ]);
  });

  it("seals the journal of a day that has ended, and rebuilds, finds and exports from it", async () => {
    const data = temporaryDirectory();
    const first = await startStore(data, () => 7n * DAY);
    await first.following;
    first.append(body("a", "b"), 2, 7n * DAY);
    first.append(body("c"), 1, 8n * DAY);
    await rows(first);
    const names = () => fs.readdirSync(path.join(data, "journal")).sort();
    const sealed = `${"1".padStart(20, "0")}.journal.gz`;
    const active = `${"3".padStart(20, "0")}.journal`;
    await expect.poll(names, { timeout: 10_000 }).toEqual([sealed, active]);
    await first.stop();
    fs.rmSync(path.join(data, "events"), { recursive: true });
    const second = await startStore(data, () => 8n * DAY);
    await second.following;
    await expect.poll(() => rows(second).then((all) => all.length)).toBe(3);
    expect((await second.store.rawRecord(2n))?.logRecord).toMatch('"stringValue":"b"');
    let lines = "";
    for await (const slice of second.store.exportLines(1n)) lines += slice;
    expect(lines.trim().split("\n").length).toBe(2);
    expect((await second.store.status()).journalBytes).toBeGreaterThan(200);
  });

  it("rebuilds every segment when all are gone", async () => {
    const data = temporaryDirectory();
    const first = await startStore(data);
    first.append(body("a", "b"), 2);
    await rows(first);
    await first.stop();
    fs.rmSync(path.join(data, "events"), { recursive: true });
    fs.rmSync(path.join(data, "catalog.duckdb"));
    const second = await startStore(data);
    await second.following;
    expect(await rows(second)).toEqual([[1n], [2n]]);
    const [report, ...others] = second.progress;
    expect(report).toMatchObject({ records: 2, totalRecords: 2 });
    expect(report?.segment).toBe((await second.store.status()).segments[0]?.day);
    expect(report?.recordsPerSecond).toBeGreaterThan(0);
    expect(others).toEqual([]);
  });

  it.each([
    ["of the same day", 7n * DAY],
    ["of a later day", 8n * DAY],
  ])("refuses an older journal under an engine with records %s", async (_, later) => {
    const data = temporaryDirectory();
    const journal = path.join(data, "journal");
    const first = await startStore(data, () => 7n * DAY);
    first.append(body("a"), 1);
    await rows(first);
    await first.stop();
    fs.cpSync(journal, `${journal}.old`, { recursive: true });
    const second = await startStore(data, () => later);
    second.append(body("b"), 1);
    await rows(second);
    await second.stop();
    fs.rmSync(journal, { recursive: true });
    fs.cpSync(`${journal}.old`, journal, { recursive: true });
    await expect(startStore(data, () => later)).rejects.toMatchObject({ code: "engine_ahead" });
  });

  it("sets a record aside that cannot be a row, and shows all others, also after a restart", async () => {
    const data = temporaryDirectory();
    const first = await startStore(data);
    first.append(body("a", "b"), 2);
    first.append(Buffer.from("no request at all"), 2);
    first.append(body("c"), 1);
    expect(await rows(first, "seq, action")).toEqual([
      [1n, "a"],
      [2n, "b"],
      [5n, "c"],
    ]);
    expect(first.setAside).toEqual([3n, 4n]);
    const { entries } = await first.store.quarantine(null, 10);
    expect(entries.map(({ afterSeq, bytes }) => [afterSeq, String(Buffer.from(bytes))])).toEqual([
      [3n, "no request at all"],
      [2n, "no request at all"],
    ]);
    const [, oldest] = entries;
    expect(await first.store.quarantineEntry(oldest as QuarantinePlace)).toEqual(oldest);
    await first.stop();
    const second = await startStore(data);
    second.append(body("d"), 1);
    expect((await rows(second)).length).toBe(4);
    expect(second.failures).toEqual([]);
  });

  it("removes what queries of a killed server left in tmp", async () => {
    const data = temporaryDirectory();
    await (await startStore(data)).stop();
    fs.writeFileSync(path.join(data, "tmp", "duckdb_temp_storage-0.tmp"), "x");
    await startStore(data);
    expect(fs.readdirSync(path.join(data, "tmp"))).toEqual([]);
  });

  it("sets a record aside whose reading would take more memory than there is", async () => {
    const started = await startStore(temporaryDirectory());
    // As a version without a limit would have acknowledged it: two bytes for each group, of which there are millions.
    const groups = Buffer.alloc(64 * 1024 * 1024, Buffer.from("0a00", "hex"));
    started.append(Buffer.concat([body("a"), groups]), 1);
    started.append(body("b"), 1);
    expect(await rows(started, "seq, action")).toEqual([[2n, "b"]]);
    expect(started.setAside).toEqual([1n]);
  });

  it("doubles nothing when a bad record comes after thousands of good ones", async () => {
    const started = await startStore(temporaryDirectory());
    for (let i = 0; i < 10; i++) {
      started.append(body(...Array.from({ length: 500 }, () => "a")), 500);
    }
    started.append(Buffer.from("no request at all"), 1);
    expect(await started.store.waitForApplied(5001n, 20_000)).toBe(true);
    // An appender that nobody holds any more writes what it has when it is collected.
    for (let i = 0; i < 50; i++) await started.store.rawRecord(1n);
    const snapshot = await started.store.snapshot();
    const sql = `SELECT count(*), count(DISTINCT seq) FROM ${snapshot.tables[0]}`;
    expect(await snapshot.query({ sql })).toEqual([[5000n, 5000n]]);
    snapshot.release();
    expect(started.setAside).toEqual([5001n]);
  });

  it("exports large records in slices of bounded size", async () => {
    const started = await startStore(temporaryDirectory());
    const content = { "agent_audit.process.stdout": "x".repeat(4_000_000) };
    for (let i = 0; i < 12; i++) started.append(sampleBody(sampleEvent({ content })), 1);
    const lengths: number[] = [];
    for await (const slice of started.store.exportLines(0n)) lengths.push(slice.length);
    expect(lengths.length).toBeGreaterThan(2);
    expect(Math.max(...lengths)).toBeLessThan(32_000_000);
  });

  it("applies records of large content in bounded pieces", async () => {
    const started = await startStore(temporaryDirectory());
    const content = { "agent_audit.process.stdout": "x".repeat(1_000_000) };
    for (let i = 0; i < 60; i++) started.append(sampleBody(sampleEvent({ content })), 1);
    const [sum] = await rows(started, "sum(length(content)) OVER (), seq");
    expect(sum?.[0]).toBeGreaterThan(60_000_000n);
  });

  it("applies a record of 100,000 attributes in linear time", async () => {
    const started = await startStore(temporaryDirectory());
    const metadata = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, "v"]));
    started.append(sampleBody(sampleEvent({ metadata })), 1);
    expect(await rows(started, "cardinality(attributes), seq")).toEqual([[100_000n, 1n]]);
  });

  it("refuses to go on when the journal is older than the engine", async () => {
    const data = temporaryDirectory();
    const first = await startStore(data);
    first.append(body("a"), 1);
    await rows(first);
    await first.stop();
    const old = await startStore(temporaryDirectory());
    await old.stop();
    for (const name of fs.readdirSync(path.join(data, "journal"))) {
      fs.rmSync(path.join(data, "journal", name));
    }
    await expect(startStore(data)).rejects.toThrow(
      /the journal is empty, and has had sequences up to 1/,
    );
  });

  it("holds the data directory alone", async () => {
    const data = temporaryDirectory();
    await startStore(data);
    const script = `import("@agent-audit/store").then(({ Store }) => Store.open({ data: ${JSON.stringify(data)}, onFatal() {} })).catch((error) => { console.log(error.code); process.exit(3); })`;
    const { spawnSync } = await import("node:child_process");
    const second = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect({ code: second.status, says: second.stdout.trim() }).toEqual({
      code: 3,
      says: "data_directory_locked",
    });
  });

  it("shuts the engine off from the file system", async () => {
    const { store } = await startStore(temporaryDirectory());
    const snapshot = await store.snapshot();
    await expect(snapshot.query({ sql: "SELECT * FROM read_text('/etc/passwd')" })).rejects.toThrow(
      /disabled|not allowed|Permission/i,
    );
    await expect(snapshot.query({ sql: "ATTACH '/tmp/x.duckdb' AS x" })).rejects.toThrow();
  });

  it("stops a query at its time limit and answers the next", async () => {
    const { store } = await startStore(temporaryDirectory());
    const snapshot = await store.snapshot();
    const endless = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b";
    await expect(snapshot.query({ sql: endless, timeoutMillis: 100 })).rejects.toMatchObject({
      code: "query_timeout",
    });
    expect(await snapshot.query({ sql: "SELECT 1::BIGINT" })).toEqual([[1n]]);
  });
});
