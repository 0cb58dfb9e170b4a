import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { JournalWriter, Store } from "@agent-audit/store";
import { describe, expect, it } from "vitest";
import { sampleFrame } from "../support/sample-frame.js";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { LAUNCHER, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const NANOS_PER_DAY = 86_400_000_000_000n;
const today = BigInt(Math.floor(Date.now() / 86_400_000));
const KEEP = "retention:\n  keep: 30d\n";

const run = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  childProcess.spawnSync(process.execPath, [LAUNCHER, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });

/** Makes a data directory with two events of each of some days, by days before today, as it had been written on them. */
async function storeOf(...ages: number[]): Promise<string> {
  const data = temporaryDirectory();
  const store = await Store.open({ data, onFatal: () => {} });
  let now = 0n;
  const journal = JournalWriter.open({
    directory: store.directory.journal,
    storeId: store.storeId,
    now: () => now,
  });
  for (const age of ages) {
    now = (today - BigInt(age)) * NANOS_PER_DAY + 5n;
    journal.rotateIfDue(now);
    // The times that the events claim do not count: they are all of the same moment.
    const events = ["a", "b"].map((name) =>
      sampleEvent({ id: `${name}-${age}`, action: `${name}-${age}` }),
    );
    journal.append(
      sampleFrame({ recordCount: 2, receivedNano: now, payload: sampleBody(...events) }),
    );
  }
  journal.close();
  await store.close();
  return data;
}

const configOf = (data: string, text = KEEP) => {
  const file = path.join(data, "agent-audit.yaml");
  fs.writeFileSync(file, text);
  return file;
};

const actions = async (
  server: Awaited<ReturnType<typeof startServer>>,
  route = "events?order=seq",
) => {
  const answer = await server.get(route);
  return answer.events?.map(({ action }: { action: string }) => action) ?? answer;
};

const sealed = async (server: Awaited<ReturnType<typeof startServer>>, count: number) =>
  await expect
    .poll(
      async () => {
        const response = await fetch(`${server.apiUrl}/api/v1/admin/retention`);
        return ((await response.json()) as { segments: unknown[] }).segments.length;
      },
      { timeout: 20_000 },
    )
    .toBe(count);

describe("retention", () => {
  it("drops whole segments by the time of receipt, keeps what is held, and brings nothing back", async () => {
    const data = await storeOf(90, 60, 45, 10);
    const config = configOf(data, "retention: {}\n");
    // Without `keep`, nothing is planned: first the holds are made.
    const server = await startServer(data, ["--config", config]);
    const env = { AGENT_AUDIT_API: server.apiUrl };
    expect(run(["retention", "plan"], env).stdout).toMatch(/nothing is ever dropped/);
    expect(run(["retention", "run"], env)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/retention.keep is not set/),
    });
    const held = run(["hold", "add", "action=a-60", "--note", "case 7", "--json"], env);
    const { id } = JSON.parse(held.stdout) as { id: string };
    expect(run(["hold", "list"], env).stdout).toMatch(/action=a-60.*case 7/);
    expect(run(["hold", "add", "last=1h"], env)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/must not move/),
    });
    expect(await server.stop()).toBe(0);

    configOf(data);
    const plan = run(["retention", "plan", "--config", config, "--data", data, "--json"]);
    // Segments that are not sealed yet are no candidates.
    expect(JSON.parse(plan.stdout).keep_days).toBe(30);
    const second = await startServer(data, ["--config", config]);
    await sealed(second, 1);
    const expected = ["a-60", "b-60", "a-10", "b-10"];
    await expect.poll(() => actions(second), { timeout: 10_000 }).toEqual(expected);
    const system = await second.get("events?source=system&order=seq");
    expect(
      system.events.map(
        ({ event_name, resource }: { event_name: string; resource: { id: string } }) => [
          event_name,
          resource.id,
        ],
      ),
    ).toEqual([
      ["agent_audit.retention.hold", id],
      ["agent_audit.retention.drop", expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/)],
      ["agent_audit.retention.drop", expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/)],
    ]);
    const exported = await fetch(`${second.apiUrl}/api/v1/export?format=otlp`);
    expect((await exported.text()).trim().split("\n").length).toBe(2 + 3);
    expect((await fetch(`${second.apiUrl}/api/v1/events/seq:1`)).status).toBe(404);
    await second.stop();

    fs.rmSync(path.join(data, "events"), { recursive: true });
    fs.rmSync(path.join(data, "catalog.duckdb"));
    for (const name of fs.readdirSync(path.join(data, "journal"))) {
      if (name.endsWith(".ids")) fs.rmSync(path.join(data, "journal", name));
    }
    const third = await startServer(data, ["--config", config]);
    await sealed(third, 1);
    expect(await actions(third)).toEqual(expected);
    const thirdEnv = { AGENT_AUDIT_API: third.apiUrl };
    expect(run(["hold", "remove", id], thirdEnv).stdout).toMatch(/is lifted/);
    const dropped = run(["retention", "run", "--json"], thirdEnv);
    expect(JSON.parse(dropped.stdout).dropped).toMatchObject([
      { events: 2, first_seq: 3, last_seq: 4 },
    ]);
    expect(await actions(third)).toEqual(["a-10", "b-10"]);
    await third.stop();
    expect(run(["store", "check", "--data", data])).toMatchObject({ status: 0 });
  });
});
