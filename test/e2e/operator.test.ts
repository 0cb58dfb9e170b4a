import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { JSON_TYPE, PROTOBUF, post } from "../support/send-logs.js";
import { LAUNCHER, ROOT, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const run = (...args: string[]) =>
  childProcess.spawnSync(process.execPath, [LAUNCHER, ...args], { encoding: "utf8" });

/** A request of which one record is whole and one is not. */
const HALF_FAULTY = JSON.stringify({
  resourceLogs: [
    { scopeLogs: [{ logRecords: [{ body: { stringValue: "whole" } }, { attributes: "évil" }] }] },
  ],
});

const nowNano = () => BigInt(Date.now()) * 1_000_000n;

const beat = (id: string, sequence: number, end = false) =>
  sampleEvent({
    id: `${id}-${sequence}`,
    time: nowNano(),
    stream: { id, sequence, ...(end ? { end } : {}) },
  });

describe("/metrics", () => {
  const scrape = async (apiUrl: string) => {
    const response = await fetch(`${apiUrl}/metrics`);
    const text = await response.text();
    expect([response.status, text.slice(0, 200)]).toEqual([200, expect.any(String)]);
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    const figure = (name: string) => {
      const line = text.split("\n").find((l) => l.startsWith(`agent_audit_${name} `));
      return line === undefined ? null : Number(line.split(" ").at(-1));
    };
    return { text, figure };
  };

  it("counts what arrived, what is missing and what is left", async () => {
    const data = temporaryDirectory();
    const server = await startServer(data);
    // Of the first stream 3 and 4 are missing, of the second 1.
    const events = [beat("s1", 1), beat("s1", 2), beat("s1", 5), beat("s2", 2, true)];
    expect((await post(server.otlpUrl, PROTOBUF, sampleBody(...events))).status).toBe(200);
    const again = events[0] as (typeof events)[number];
    expect((await post(server.otlpUrl, PROTOBUF, sampleBody(again))).status).toBe(200);
    expect((await post(server.otlpUrl, JSON_TYPE, HALF_FAULTY)).status).toBe(200);
    expect((await post(server.otlpUrl, JSON_TYPE, "{")).status).toBe(400);
    await server.get("events");
    const { text, figure } = await scrape(server.apiUrl);
    for (const [name, value] of [
      ["records_received_total", 6],
      ["records_stored_total", 5],
      ["records_duplicates_total", 1],
      ["records_conflicts_total", 0],
      ['records_quarantined_total{reason="malformed_record"}', 1],
      ['otlp_answers_total{http_response_status_code="200"}', 3],
      ['otlp_answers_total{http_response_status_code="400"}', 1],
      ["journal_seq", 5],
      ["applied_seq", 5],
      ["apply_lag_records", 0],
      ['segments_count{state="open"}', 1],
      ['segments_count{state="rebuilding"}', 0],
      ["streams_known", 2],
      ["streams_gaps", 2],
      ["streams_missing_records", 3],
      ["streams_silent", 0],
    ] as const) {
      expect([name, figure(name)]).toEqual([name, value]);
    }
    for (const name of [
      ...["bodies_received_bytes_total", "bodies_decoded_bytes_total"],
      ...["journal_written_bytes_total", "journal_size_bytes", "segments_size_bytes"],
      ...["disk_free_bytes", "process_memory_bytes", "process_uptime_seconds"],
      ...["journal_sync_seconds_count", 'journal_sync_seconds_bucket{le="+Inf"}'],
    ]) {
      expect([name, figure(name)]).toEqual([name, expect.any(Number)]);
      expect(figure(name)).toBeGreaterThan(0);
    }
    expect(text).not.toContain("vil");
    const page = fs.readFileSync(path.join(ROOT, "docs/operating.md"), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `agent_audit_"));
    const documented = rows.flatMap((row) => row.split("|")[1]?.match(/agent_audit_\w+/g) ?? []);
    const exposed = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    expect(documented.sort()).toEqual(exposed.sort());
    // What is missing is known after a restart, and no longer missing when it has come.
    await server.kill();
    const second = await startServer(data);
    expect((await scrape(second.apiUrl)).figure("streams_gaps")).toBe(2);
    await post(second.otlpUrl, PROTOBUF, sampleBody(beat("s1", 4), beat("s1", 3)));
    const after = await scrape(second.apiUrl);
    expect(after.figure("streams_gaps")).toBe(1);
    expect(after.figure("streams_missing_records")).toBe(1);
  });
});

describe("quarantine", () => {
  const ask = async ({ apiUrl }: { apiUrl: string }, path: string) => {
    // biome-ignore lint/suspicious/noExplicitAny: answers of two shapes
    return (await (await fetch(`${apiUrl}/api/v1/${path}`)).json()) as any;
  };

  it("shows what was set aside, from a server and from its directory", async () => {
    const data = temporaryDirectory();
    const server = await startServer(data);
    expect((await ask(server, "quarantine")).entries).toEqual([]);
    await post(server.otlpUrl, JSON_TYPE, HALF_FAULTY);
    const { entries, next_cursor } = await ask(server, "quarantine");
    expect(next_cursor).toBeNull();
    expect(entries).toEqual([
      {
        id: expect.stringMatching(/^1-\d+$/),
        after_seq: 1,
        received_time: expect.stringMatching(/^\d{4}-/),
        reason: expect.stringContaining("attributes"),
        key_id: null,
        bytes: expect.any(String),
      },
    ]);
    const [entry] = entries;
    const text = Buffer.from(entry.bytes, "base64").toString();
    expect(text).toContain('{"attributes":"évil"}');
    expect(await ask(server, `quarantine/${entry.id}`)).toEqual(entry);
    await server.stop();
    const sources = [["--data", data]];
    const second = await startServer(data);
    sources.push(["--api", second.apiUrl]);
    for (const source of sources) {
      const list = run("quarantine", "list", ...source);
      expect([list.status, list.stderr]).toEqual([0, ""]);
      expect(list.stdout).toContain(entry.id);
      expect(list.stdout).toContain(entry.reason);
      const json = run("quarantine", "list", "--json", ...source);
      expect(JSON.parse(json.stdout)).toEqual(entry);
      expect(run("quarantine", "show", entry.id, "--raw", ...source).stdout).toBe(text);
      expect(run("quarantine", "show", entry.id, ...source).stdout).toContain(text);
      const missing = run("quarantine", "show", "1-7", ...source);
      expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining("1-7")]);
    }
    expect(run("quarantine", "list", "--data", "/not/there").status).toBe(1);
  });

  it.each([
    ["quarantine?limit=0", 400, "invalid_limit"],
    ["quarantine?limit=201", 400, "invalid_limit"],
    ["quarantine?cursor=x", 400, "invalid_cursor"],
    ["quarantine?reason=x", 400, "unknown_parameter"],
    ["quarantine/..%2f..", 404, "not_found"],
  ])("answers %s with %i", async (path, status, code) => {
    const server = await startServer(temporaryDirectory());
    const response = await fetch(`${server.apiUrl}/api/v1/${path}`);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });
});
