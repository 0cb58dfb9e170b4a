import childProcess from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { LAUNCHER, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const run = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  childProcess.spawnSync(process.execPath, [LAUNCHER, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });

const create = (data: string, ...args: string[]) => createBy(["--data", data], args);

/** At a running server: it need not open the data directory. */
const createAt = ({ apiUrl }: Server, key: string, ...args: string[]) =>
  createBy([], args, { AGENT_AUDIT_API: apiUrl, AGENT_AUDIT_API_KEY: key });

const createBy = (where: string[], args: string[], env: NodeJS.ProcessEnv = {}) => {
  const made = run(["keys", "create", ...where, "--json", ...args], env);
  expect(made.stderr).toBe("");
  return JSON.parse(made.stdout) as { key: { id: string }; text: string };
};

const bearer = (text: string) => ({ Authorization: `Bearer ${text}` });

type Server = Awaited<ReturnType<typeof startServer>>;

const send = async ({ otlpUrl }: Server, key: string, ...events: Parameters<typeof sampleBody>) =>
  await fetch(otlpUrl, {
    method: "POST",
    headers: { "Content-Type": "application/x-protobuf", ...bearer(key) },
    body: new Uint8Array(sampleBody(...events)),
  });

/** Asks until what was acknowledged is visible. */
const ask = async ({ apiUrl }: Server, key: string, route: string, minSeq = 0) => {
  const separator = route.includes("?") ? "&" : "?";
  const url = `${apiUrl}/api/v1/${route}${minSeq > 0 ? `${separator}min_seq=${minSeq}` : ""}`;
  const response = await fetch(url, { headers: bearer(key) });
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  return { status: response.status, body: (await response.json().catch(() => null)) as any };
};

describe("keys", () => {
  it("keep organisations apart, in everything that is sent and everything that can be asked", async () => {
    const data = temporaryDirectory();
    const admin = create(data, "--scope", "admin");
    const server = await startServer(data);
    const acme = createAt(server, admin.text, "--scope", "ingest", "--org", "acme");
    const other = createAt(server, admin.text, "--scope", "ingest", "--org", "rival");
    const reader = createAt(server, admin.text, "--scope", "read", "--org", "acme");
    const unknown = await fetch(`${server.apiUrl}/api/v1/events`);
    expect([unknown.status, unknown.headers.get("connection")]).toEqual([401, "close"]);
    expect((await fetch(`${server.apiUrl}/healthz`)).status).toBe(200);

    const canary = sampleEvent({
      id: "canary-id",
      action: "canary",
      agent: { id: "canary-agent" },
    });
    const hidden = await send(server, other.text, canary, sampleEvent({ action: "canary" }));
    const foreign = sampleEvent({ action: "canary", org: { id: "acme" } });
    const half = await send(server, other.text, foreign, sampleEvent({ action: "canary" }));
    expect(await half.text()).toMatch(/is for organisation rival/);
    const own = await send(server, acme.text, sampleEvent({ id: "own-id", action: "own" }));
    const seq = Number(own.headers.get("agent-audit-seq"));
    await send(server, acme.text, sampleEvent({ action: "own", org: { id: "evil" } }));

    const visible = await ask(server, reader.text, "events?order=seq", seq);
    expect(visible.body.events.map(({ action }: { action: string }) => action)).toEqual(["own"]);
    expect(visible.body.events[0]).toMatchObject({ org: { id: "acme" } });
    for (const route of [
      "events?q=canary",
      "events?org=rival",
      `events/seq:${hidden.headers.get("agent-audit-seq")}`,
      "aggregate?by=agent&by=action",
      "aggregate?by=org",
      "facets",
      "timeseries?interval=hour&by=action",
      "export?format=otlp",
      "quarantine",
      "status",
    ]) {
      const answer = await fetch(`${server.apiUrl}/api/v1/${route}`, {
        headers: bearer(reader.text),
      });
      expect(await answer.text(), route).not.toMatch(/canary|rival/);
    }
    expect((await ask(server, reader.text, "events/canary-id")).status).toBe(404);
    expect((await ask(server, reader.text, "status")).status).toBe(403);
    expect((await fetch(`${server.apiUrl}/metrics`, { headers: bearer(reader.text) })).status).toBe(
      403,
    );
    const exported = await fetch(`${server.apiUrl}/api/v1/export`, {
      headers: bearer(reader.text),
    });
    expect((await exported.text()).trim().split("\n").length).toBe(1);
    const { entries } = (await ask(server, reader.text, "quarantine")).body;
    expect(entries.map(({ key_id }: { key_id: string }) => key_id)).toEqual([acme.key.id]);

    const all = await ask(server, admin.text, "events?order=seq&system=true");
    expect(all.body.events.map(({ event_name }: { event_name: string }) => event_name)).toContain(
      "agent_audit.key.change",
    );
    const byKey = await ask(server, admin.text, `events?key_id=${acme.key.id}`);
    expect(byKey.body.events.length).toBe(1);
    expect((await ask(server, admin.text, "quarantine")).body.entries.length).toBe(2);
    for (const [key, route] of [
      [acme, "events"],
      [reader, "admin/keys"],
      [acme, "admin/keys"],
    ] as const) {
      expect((await ask(server, key.text, route)).status, route).toBe(403);
    }
    await server.stop();
    fs.rmSync(path.join(data, "events"), { recursive: true });
    const again = await startServer(data);
    expect((await ask(again, reader.text, "events?order=seq", seq)).body).toEqual(visible.body);
    await again.stop();
  });

  it("are made, listed and revoked at a running server, and rotation loses nothing", async () => {
    const data = temporaryDirectory();
    const server = await startServer(data);
    const env = { AGENT_AUDIT_API: server.apiUrl };
    const made = run(["keys", "create", "--scope", "admin"], env);
    expect(made.stderr).toMatch(/it is shown this once/);
    const adminEnv = { ...env, AGENT_AUDIT_API_KEY: made.stdout.trim() };
    expect(run(["keys", "list"], env).stderr).toMatch(/this server needs a key/);
    const keyOf = (text: string) => JSON.parse(text) as { key: { id: string }; text: string };
    const first = keyOf(run(["keys", "create", "--scope", "ingest", "--json"], adminEnv).stdout);
    let sent = 0;
    let current = first.text;
    let isDone = false;
    const sending = (async () => {
      while (!isDone) {
        const { status } = await send(server, current, sampleEvent({ action: `a${sent}` }));
        expect(status).toBe(200);
        sent++;
      }
    })();
    const second = keyOf(run(["keys", "create", "--scope", "ingest", "--json"], adminEnv).stdout);
    current = second.text;
    await new Promise((resolve) => setTimeout(resolve, 100));
    run(["keys", "revoke", first.key.id], adminEnv);
    await new Promise((resolve) => setTimeout(resolve, 100));
    isDone = true;
    await sending;
    expect((await send(server, first.text, sampleEvent())).status).toBe(401);
    const { stdout } = run(["keys", "list", "--json"], adminEnv);
    const keys = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(keys.map(({ scope, revoked_time }) => [scope, revoked_time !== null])).toEqual([
      ["admin", false],
      ["ingest", true],
      ["ingest", false],
    ]);
    expect(stdout).not.toMatch(/sha256/);
    const changes = await ask(server, made.stdout.trim(), "events?source=system&order=seq");
    const callers = changes.body.events.map(
      ({ metadata }: { metadata: Record<string, string> }) => metadata["agent_audit.admin.caller"],
    );
    expect(callers).toEqual(["local", keys[0].id, keys[0].id, keys[0].id]);
    const status = await ask(server, made.stdout.trim(), "status");
    const count = await ask(
      server,
      made.stdout.trim(),
      "aggregate?by=source",
      status.body.journal_seq,
    );
    expect(count.body.total.count).toBe(sent);
    await server.stop();
  });

  it("may be bound to a rate", async () => {
    const data = temporaryDirectory();
    const { text } = create(data, "--scope", "ingest", "--max-bytes-per-second", "200");
    const server = await startServer(data);
    const event = sampleEvent({ action: "x".repeat(300) });
    expect((await send(server, text, event)).status).toBe(200);
    const refused = await send(server, text, event);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(1);
    await expect
      .poll(async () => (await send(server, text, event)).status, {
        timeout: 20_000,
        interval: 500,
      })
      .toBe(200);
    await server.stop();
  });

  it("and TLS are what a server beyond this machine needs", async () => {
    const data = temporaryDirectory();
    const directory = temporaryDirectory();
    const config = (text: string) => {
      const file = path.join(directory, "agent-audit.yaml");
      fs.writeFileSync(file, text);
      return run(["serve", "--config", file, "--data", data, "--http", "127.0.0.1:0"]);
    };
    expect(config("otlp:\n  listen: 0.0.0.0:0\n").stderr).toMatch(/without keys and TLS/);
    create(data, "--scope", "admin");
    const withoutTls = config("otlp:\n  listen: 0.0.0.0:0\n");
    expect([withoutTls.status, withoutTls.stderr]).toEqual([
      2,
      expect.stringMatching(/without TLS/),
    ]);
  });
});

describe("TLS", () => {
  /** An authority, and certificates of it for a server at 127.0.0.1 and a client, made for these tests to last. */
  const CERTIFICATES = fileURLToPath(new URL("../support/certificates", import.meta.url));

  const get = async (url: string, options: https.RequestOptions) =>
    await new Promise<number | string>((resolve) => {
      https
        .get(url, options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
        .on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });

  it("is spoken on both listeners, with client certificates where they are wanted", async () => {
    const file = path.join(temporaryDirectory(), "agent-audit.yaml");
    const at = (name: string) => path.join(CERTIFICATES, name);
    const tls = `{ cert_file: ${at("server.pem")}, key_file: ${at("server.key")}`;
    fs.writeFileSync(
      file,
      `otlp:\n  tls: ${tls}, client_ca_file: ${at("ca.pem")} }\nhttp:\n  tls: ${tls} }\n`,
    );
    const server = await startServer(temporaryDirectory(), ["--config", file]);
    const ca = fs.readFileSync(at("ca.pem"));
    const client = {
      cert: fs.readFileSync(at("client.pem")),
      key: fs.readFileSync(at("client.key")),
    };
    const ready = `${server.endpoint}/readyz`;
    expect(server.otlpUrl).toMatch(/^https:/);
    expect(await get(ready, { ca, ...client })).toBe(200);
    expect(await get(ready, { ca })).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET|EPIPE/);
    expect(await get(ready, client)).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY/);
    expect(await get(`${server.apiUrl}/readyz`, { ca })).toBe(200);
    expect(await get(`${server.apiUrl}/api/v1/status`, { ca })).toBe(200);
    await server.stop();
  });

  it("is refused with certificates that cannot be read", async () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, "agent-audit.yaml");
    fs.writeFileSync(file, "http:\n  tls: { cert_file: /none.pem, key_file: /none.key }\n");
    const data = temporaryDirectory();
    const refused = run(["serve", "--config", file, "--data", data, "--otlp", "127.0.0.1:0"]);
    expect(refused.stderr).toMatch(/\/none\.pem cannot be read/);
  });
});
