import childProcess from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { killRounds } from "../support/kill-rounds.js";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { runSeed } from "../support/seeded.js";
import { startReceiver } from "../support/start-receiver.js";
import { LAUNCHER, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const post = (url: string, ...ids: string[]) =>
  fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/x-protobuf" },
    body: new Uint8Array(sampleBody(...ids.map((id) => sampleEvent({ id })))),
  });

const run = (args: string[], env = {}) =>
  childProcess.spawnSync(process.execPath, [LAUNCHER, ...args], {
    encoding: "utf8",
    timeout: 30_000,
    env: { ...process.env, ...env },
  });

describe("agent-audit serve", () => {
  it("has every acknowledged event once after kill -9 in the middle of ingest", async () => {
    await killRounds(temporaryDirectory(), 10, runSeed(), 50);
  });

  it("rebuilds the engine when its files are deleted", async () => {
    const data = temporaryDirectory();
    const first = await startServer(data);
    await post(first.otlpUrl, "a", "b", "c");
    expect((await first.get("events")).events.length).toBe(3);
    expect(await first.stop()).toBe(0);
    fs.rmSync(path.join(data, "events"), { recursive: true });
    const second = await startServer(data);
    expect(
      (await second.get("events?order=seq")).events.map(({ id }: { id: string }) => id),
    ).toEqual(["a", "b", "c"]);
  });

  it("acknowledges while eight endless queries run inside the engine", async () => {
    const { store, url, following } = await startReceiver(temporaryDirectory());
    await following;
    const snapshot = await store.snapshot();
    const sql =
      "SELECT count(*) FROM range(10000000000) a, range(10000000000) b WHERE a.range + b.range = -1";
    const endless = Array.from({ length: 8 }, () =>
      snapshot.query({ sql, timeoutMillis: null }).catch(() => {}),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const times: number[] = [];
    for (let i = 0; i < 50; i++) {
      const begin = performance.now();
      expect((await post(url, `id-${i}`)).status).toBe(200);
      times.push(performance.now() - begin);
    }
    times.sort((a, b) => a - b);
    console.log(
      `acknowledge beside 8 endless queries: p50 ${times[25]?.toFixed(1)} ms, max ${times[49]?.toFixed(1)} ms`,
    );
    await store.close();
    await Promise.all(endless);
  });

  it("is refused on a data directory that another server has", async () => {
    const data = temporaryDirectory();
    const server = await startServer(data);
    const second = run(["serve", "--data", data, "--otlp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`is in use by another process (PID ${server.child.pid})`);
    expect(second.stderr).toContain(
      "hint: stop that server, or start this one on another directory",
    );
    await server.kill();
    const third = await startServer(data);
    expect(third.otlpUrl).toMatch(/^http/);
  });

  it("answers 503, ends with 75 and keeps what it acknowledged when the journal cannot be written", async () => {
    const data = temporaryDirectory();
    // No file may grow past 2 MiB: the journal's write fails as on a full disk.
    const limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 2048; exec "$0" "$@"'];
    const server = await startServer(data, [], limited);
    const acknowledged: string[] = [];
    let status = 200;
    for (let batch = 0; status === 200; batch++) {
      const ids = Array.from({ length: 500 }, (_, i) => `${batch}-${i}`);
      status = (await post(server.otlpUrl, ...ids)).status;
      if (status === 200) acknowledged.push(...ids);
    }
    expect(status).toBe(503);
    expect(await server.exited).toBe(75);
    expect(server.log()).toContain("the journal failed");
    const again = await startServer(data);
    const { total } = await again.get("facets");
    expect(total).toBeGreaterThanOrEqual(acknowledged.length);
    for (const id of [acknowledged[0], acknowledged.at(-1)]) {
      expect((await fetch(`${again.apiUrl}/api/v1/events/${id}`)).status).toBe(200);
    }
  });

  it("does not start on a damaged journal, and says where and what to do", async () => {
    const data = temporaryDirectory();
    const server = await startServer(data);
    for (const id of ["a", "b", "c"]) await post(server.otlpUrl, id);
    await server.stop();
    const file = path.join(data, "journal", `${"1".padStart(20, "0")}.journal`);
    const bytes = fs.readFileSync(file);
    bytes[100] = (bytes[100] as number) ^ 0xff;
    fs.writeFileSync(file, bytes);
    const result = run(["serve", "--data", data, "--otlp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    expect(result.stderr).toMatch(/is damaged at offset 44: .*\nhint: restore the file/);
    expect(result.status).toBe(1);
  });

  it("does not start on a journal that is older than the engine", async () => {
    const data = temporaryDirectory();
    const server = await startServer(data);
    await post(server.otlpUrl, "a");
    await server.get("events");
    await server.stop();
    fs.rmSync(path.join(data, "journal"), { recursive: true });
    const result = run(["serve", "--data", data, "--otlp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    expect(result.stderr).toMatch(
      /the journal is empty, and has had sequences up to 1\nhint: restore the journal/,
    );
    expect(result.status).toBe(1);
  });

  it.each([
    [["serve", "--otlp", "0.0.0.0:4318"], {}, 2, /refusing to listen on 0.0.0.0/],
    [["serve", "--otlp", "nonsense"], {}, 2, /is not HOST:PORT/],
    [["serve", "--nonsense"], {}, 2, /unknown option/],
    [["events", "nonsense"], {}, 2, /write name=value/],
    [["events"], { AGENT_AUDIT_API: "http://127.0.0.1:9" }, 75, /no server answers/],
    [["nonsense"], {}, 2, /unknown command/],
  ])("%j ends with a code and a message that say what to do", (args, env, status, message) => {
    const result = run(args, { AGENT_AUDIT_DATA: path.join(temporaryDirectory(), "d"), ...env });
    expect(result.stderr).toMatch(message);
    expect(result.status).toBe(status);
  });

  it("lists every fault of a configuration file, with the nearest known name", () => {
    const file = path.join(temporaryDirectory(), "agent-audit.yaml");
    fs.writeFileSync(file, "dta: x\notlp: { listen: 7, max_body_byte: 1 }\n");
    const result = run(["serve", "--config", file]);
    expect(result.status).toBe(2);
    expect(result.stderr).toContain("dta: unknown key; did you mean data?");
    expect(result.stderr).toContain(
      "otlp.max_body_byte: unknown key; did you mean max_body_bytes?",
    );
    expect(result.stderr).toMatch(/otlp\.listen: .*expected string/);
  });

  it("checks and prints the effective configuration, each value with where it was set", () => {
    const file = path.join(temporaryDirectory(), "agent-audit.yaml");
    fs.writeFileSync(file, `data: \${DIR}/trail\nengine:\n  threads: 2\n`);
    const env = { DIR: "/var/lib" };
    const check = run(["config", "check", "--config", file], env);
    expect([check.status, check.stdout]).toEqual([0, `${file}: no faults\n`]);
    const print = run(["config", "print", "--config", file, "--http", "127.0.0.1:9"], env);
    expect(print.status).toBe(0);
    expect(print.stdout).toContain(`data: /var/lib/trail # ${file}:1\n`);
    expect(print.stdout).toContain(`  threads: 2 # ${file}:3\n`);
    expect(print.stdout).toContain("  listen: 127.0.0.1:9 # --http\n");
    expect(print.stdout).toContain("  listen: 127.0.0.1:4318 # default\n");
    const json = run(["config", "print", "--config", file, "--json"], env);
    expect(JSON.parse(json.stdout).engine).toEqual({ threads: 2 });
    const faulty = run(["config", "check", "--config", file]);
    expect(faulty.status).toBe(2);
    expect(faulty.stderr).toContain(`${file}:1: the variable DIR is not set`);
  });

  it("refuses limits by which the largest body would never find room", () => {
    const file = path.join(temporaryDirectory(), "agent-audit.yaml");
    fs.writeFileSync(file, "otlp: { max_body_bytes: 100000, max_in_flight_bytes: 200000 }\n");
    const result = run(["serve", "--config", file]);
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/otlp\.max_in_flight_bytes: must exceed max_body_bytes by 1 MiB/);
  });

  it.runIf(process.platform === "linux")("lets the engine's threads behind ingest's", async () => {
    const { child } = await startServer(temporaryDirectory());
    const tasks = `/proc/${child.pid}/task`;
    const niceness = fs.readdirSync(tasks).map((task) => {
      // The fields behind the name, which stands in parentheses, start with the third.
      const stat = fs.readFileSync(`${tasks}/${task}/stat`, "utf8");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
    });
    expect(new Set(niceness)).toEqual(new Set([0, 5, 10]));
    // Those on which queries run, and DuckDB's own.
    expect(niceness.filter((value) => value === 10).length).toBeGreaterThan(16);
  });

  it("takes its settings from the file, and options before it", async () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, "agent-audit.yaml");
    fs.writeFileSync(file, `data: ${directory}/from-file\notlp:\n  max_body_bytes: 2048\n`);
    const server = await startServer(path.join(directory, "from-option"), ["--config", file]);
    const large = await post(server.otlpUrl, ...Array.from({ length: 100 }, (_, i) => `${i}`));
    expect(large.status).toBe(413);
    expect(fs.existsSync(path.join(directory, "from-option/store.json"))).toBe(true);
    expect(fs.existsSync(path.join(directory, "from-file"))).toBe(false);
  });

  it("stops with 0 and keeps what it acknowledged", async () => {
    const data = temporaryDirectory();
    const server = await startServer(data);
    expect((await post(server.otlpUrl, "kept")).status).toBe(200);
    expect(await server.stop()).toBe(0);
    expect(server.log()).not.toContain("kept");
    const again = await startServer(data);
    expect((await again.get("events")).events.length).toBe(1);
  });
});

describe("SIGTERM", () => {
  it("does not wait for a body that still arrives", async () => {
    const server = await startServer(temporaryDirectory());
    const socket = net.connect(Number(new URL(server.otlpUrl).port), "127.0.0.1");
    socket.on("error", () => {});
    const head =
      "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n";
    await new Promise<void>((resolve) => {
      socket.write(`${head}Content-Length: 1000\r\n\r\nx`, () => resolve());
    });
    expect(await server.stop()).toBe(0);
    socket.destroy();
  });
});

describe("the asking commands", () => {
  it("print tables, and JSON when asked", async () => {
    const server = await startServer(temporaryDirectory());
    await post(server.otlpUrl, "a", "b");
    await server.get("events");
    const env = { AGENT_AUDIT_API: server.apiUrl };
    expect(run(["events", "source=shell"], env).stdout).toMatch(
      /TIME +SOURCE +RESULT.*\n-+.*\n2026-.*shell +success/,
    );
    expect(JSON.parse(run(["events", "--json", "limit=1"], env).stdout).events.length).toBe(1);
    expect(run(["facets"], env).stdout).toMatch(/SOURCE +COUNT\n.*\nshell +2/);
    expect(run(["aggregate", "by=result"], env).stdout).toMatch(/success +2/);
    expect(run(["timeseries", "interval=day"], env).stdout).toMatch(
      /2026-09-21T00:00:00Z +2 +0 +█/,
    );
    expect(run(["status"], env).stdout).toMatch(/journal_seq +2/);
    const wrong = run(["events", "sorce=shell"], env);
    expect([wrong.status, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/unknown parameter sorce\nhint: did you mean source\?/),
    ]);
  });
});

describe("agent-audit exec", () => {
  it("passes streams, signals and exit codes through, and records the command", async () => {
    const server = await startServer(temporaryDirectory());
    const identity = ["--agent", "agt_9", "--endpoint", server.endpoint];
    const result = childProcess.spawnSync(
      process.execPath,
      [LAUNCHER, "exec", ...identity, "--", "sh", "-c", "cat; echo err >&2; exit 7"],
      { encoding: "utf8", input: "from stdin", timeout: 30_000 },
    );
    expect([result.stdout, result.stderr, result.status]).toEqual(["from stdin", "err\n", 7]);
    expect(run(["exec", ...identity, "--", "sh", "-c", "kill -9 $$"]).status).toBe(137);
    expect(run(["exec", ...identity, "--", "no-such-command"]).status).toBe(127);
    const { events } = await server.get("events?agent=agt_9&order=seq");
    expect(events.map(({ error_type }: { error_type: string }) => error_type)).toEqual([
      "7",
      "SIGKILL",
      "ENOENT",
    ]);
  });
});
