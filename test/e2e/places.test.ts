import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { PROTOBUF, post } from "../support/send-logs.js";
import { LAUNCHER, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const run = (args: string[], env: NodeJS.ProcessEnv = {}, cwd = temporaryDirectory()) =>
  childProcess.spawnSync(process.execPath, [LAUNCHER, ...args], {
    encoding: "utf8",
    cwd,
    env: { ...process.env, ...env },
  });

/** Runs a command whose output nobody reads to its end. */
const runIntoHead = (command: string, env: NodeJS.ProcessEnv) =>
  childProcess.spawnSync("bash", ["-o", "pipefail", "-c", `${command} | head -c 1 >/dev/null`], {
    encoding: "utf8",
    env: { ...process.env, AUDIT: `${process.execPath} ${LAUNCHER}`, ...env },
  });

describe("a command", () => {
  it("works at the server that holds its data directory, never at another", async () => {
    const [mine, theirs] = [temporaryDirectory(), temporaryDirectory()];
    const [server, other] = await Promise.all([startServer(mine), startServer(theirs)]);
    const at = ({ apiUrl }: typeof server) => ({ AGENT_AUDIT_HTTP: new URL(apiUrl).host });
    const add = ["hold", "add", "agent=a", "--data", mine];
    expect(run(add, at(server))).toMatchObject({ status: 0, stderr: "" });
    expect(run(add, at(other))).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/holds .*, and the one at .* is another\nhint: .*--api URL/),
    });
    expect(run(add, { AGENT_AUDIT_HTTP: "127.0.0.1:9" })).toMatchObject({
      status: 75,
      stderr: expect.stringMatching(/holds .*, and none answers at http:\/\/127.0.0.1:9/),
    });
    // A key that only sends must not keep the operator of this machine from making more.
    const create = ["keys", "create", "--scope", "ingest", "--data", mine];
    expect([run(create, at(server)).status, run(create, at(server)).status]).toEqual([0, 0]);
    expect(run(["hold", "list", "--api", server.apiUrl, "--data", mine]).status).toBe(2);
    const holds = async ({ apiUrl }: typeof server) => {
      const response = await fetch(`${apiUrl}/api/v1/admin/holds`);
      return ((await response.json()) as { holds: unknown[] }).holds.length;
    };
    expect([await holds(server), await holds(other)]).toEqual([1, 0]);
  });

  it("makes up no data directory, but for keys before the first start", () => {
    const cwd = temporaryDirectory();
    const nobody = { AGENT_AUDIT_HTTP: "127.0.0.1:9" };
    for (const args of [
      ["store", "check", "--data", "none"],
      ["store", "rebuild", "--data", "none"],
      ["retention", "plan", "--data", "none"],
      ["quarantine", "list", "--data", "none"],
    ]) {
      expect(run(args, nobody, cwd)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/none is no data directory/),
      });
    }
    expect(run(["hold", "list"], nobody, cwd).status).toBe(75);
    expect(fs.readdirSync(cwd)).toEqual([]);
    expect(run(["keys", "create", "--scope", "ingest"], nobody, cwd)).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/no server answers at .*: working on .\/agent-audit-data/),
    });
    expect(run(["quarantine", "list"], nobody, cwd).stdout).toMatch(/nothing was set aside/);
    // Under a new id, the journal would be taken for a stranger's.
    fs.rmSync(path.join(cwd, "agent-audit-data", "store.json"));
    for (const args of [["store", "check"], ["serve"]]) {
      expect(run(args, { ...nobody, AGENT_AUDIT_OTLP: "127.0.0.1:0" }, cwd)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/store.json is missing, .*\nhint: restore it/),
      });
    }
    expect(fs.existsSync(path.join(cwd, "agent-audit-data", "store.json"))).toBe(false);
  });

  it("ends quietly when its reader has seen enough, and a server goes on", async () => {
    const data = temporaryDirectory();
    const server = await startServer(data);
    const events = Array.from({ length: 200 }, (_, i) =>
      sampleEvent({ id: `${i}`, description: "x".repeat(2_000) }),
    );
    expect((await post(server.otlpUrl, PROTOBUF, sampleBody(...events))).status).toBe(200);
    await server.get("events");
    const env = { AGENT_AUDIT_API: server.apiUrl };
    for (const command of ["$AUDIT events limit=200", "$AUDIT events limit=200 --json"]) {
      expect(runIntoHead(command, env)).toMatchObject({ status: 0, stderr: "" });
    }
    // What is run is told, and recorded.
    const exec = runIntoHead("$AUDIT exec --agent a -- head -c 3000000 /dev/zero", {
      AGENT_AUDIT_ENDPOINT: server.endpoint,
    });
    // By SIGPIPE, or, since Node's pipes are sockets, by an error of its write.
    expect([128 + 13, 1]).toContain(exec.status);
    expect((await server.get("events?resource_id=head")).events.length).toBe(1);
    const args = ["serve", "--data", temporaryDirectory()];
    const listen = ["--otlp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    const deaf = childProcess.spawn(process.execPath, [LAUNCHER, ...args, ...listen]);
    deaf.stdout.destroy();
    let log = "";
    deaf.stderr.on("data", (chunk) => {
      log += chunk;
    });
    await expect.poll(() => log, { timeout: 20_000 }).toMatch(/queries are ready/);
    deaf.kill("SIGTERM");
    const code = await new Promise((resolve) => deaf.once("close", resolve));
    expect(code, log).toBe(0);
  });

  it("lists what would keep a server from starting, beside faults of the file", () => {
    const file = path.join(temporaryDirectory(), "agent-audit.yaml");
    const check = (text: string) => {
      fs.writeFileSync(file, text);
      return run(["config", "check", "--config", file, "--data", temporaryDirectory()]);
    };
    const listeners = check(
      "otlp: { listen: 0.0.0.0:4318 }\nhttp: { tls: { cert_file: /none, key_file: /none } }\n",
    );
    expect(listeners.status).toBe(2);
    expect(listeners.stderr).toMatch(/refusing to listen on 0.0.0.0.*\/none cannot be read/s);
    expect(check("otlp: { listen: 127.0.0.1:1 }\nhttp: { listen: 127.0.0.1:1 }\n").stderr).toMatch(
      /otlp.listen and http.listen are both/,
    );
    const twice = check("a: 1\na: 2\nb: 1\nb: 2\n");
    expect([twice.status, twice.stderr]).toEqual([2, expect.stringMatching(/line 2.*line 4/s)]);
    expect(check("data: *nothing\n")).toMatchObject({ status: 2 });
  });
});
