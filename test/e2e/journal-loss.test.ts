import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { PROTOBUF, post } from "../support/send-logs.js";
import { startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const storeOf = (data: string) =>
  JSON.parse(fs.readFileSync(path.join(data, "store.json"), "utf8"));

const send = async ({ otlpUrl }: { otlpUrl: string }, ...actions: string[]) => {
  for (const action of actions) {
    const body = sampleBody(sampleEvent({ action }));
    expect((await post(otlpUrl, PROTOBUF, body)).status).toBe(200);
  }
};

it("goes on after a loss of the journal when told to, and records it", async () => {
  const data = temporaryDirectory();
  const journal = path.join(data, "journal");
  const first = await startServer(data);
  await send(first, "a", "b");
  await first.get("events");
  await first.stop();
  fs.cpSync(journal, `${journal}.old`, { recursive: true });
  const second = await startServer(data);
  await send(second, "c", "d", "e");
  await second.get("events");
  await second.stop();
  fs.rmSync(journal, { recursive: true });
  fs.renameSync(`${journal}.old`, journal);

  const old = fs.readdirSync(journal);
  const refused = await startServer(data);
  expect(await refused.exited).toBe(1);
  // Whoever puts the right files back finds no other beside them, and nothing that they are known by gone.
  expect(fs.readdirSync(journal)).toEqual(old);
  expect(refused.log()).toMatch(/--accept-journal-loss/);
  const { store_id: before } = storeOf(data);

  const third = await startServer(data, ["--accept-journal-loss"]);
  await send(third, "f");
  const { events } = await third.get("events?order=seq&system=true");
  expect(events.map(({ seq, action }: { seq: number; action: string }) => [seq, action])).toEqual([
    [1, "a"],
    [2, "b"],
    [3, "journal_loss_accepted"],
    [4, "f"],
  ]);
  expect(events[2]).toMatchObject({
    event_name: "agent_audit.gap",
    metadata: { "agent_audit.gap.first_seq": 3, "agent_audit.gap.last_seq": 5 },
  });
  const { store_id: after, former_store_ids } = storeOf(data);
  expect([former_store_ids, events[0].id, events[3].id]).toEqual([
    [before],
    `${before}-1`,
    `${after}-4`,
  ]);
  await third.stop();

  fs.rmSync(path.join(data, "events"), { recursive: true });
  const fourth = await startServer(data);
  expect((await fourth.get("events?order=seq&system=true")).events).toEqual(events);
  await fourth.stop();
});
