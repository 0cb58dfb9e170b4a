import type { PlannedSegment, RetentionPlan } from "@agent-audit/query";
import type { Hold } from "@agent-audit/store";
import type { Command } from "commander";
import { type AdminOptions, administer, OFFLINE, withAdminOptions } from "../administer.js";

export function addRetention(program: Command): void {
  const retention = program
    .command("retention")
    .description("drop segments that are older than retention.keep, with their journals");
  withAdminOptions(
    retention.command("plan").description("say what would be dropped, and what a hold keeps"),
  ).action(plan);
  withAdminOptions(
    retention.command("run").description("drop it; a server does that once an hour by itself"),
  ).action(run);
}

export function addHold(program: Command): void {
  const hold = program
    .command("hold")
    .description("keep segments with certain events from being dropped");
  withAdminOptions(
    hold
      .command("add")
      .description("hold events; without filters, all of them")
      .argument(
        "[filters...]",
        "name=value as for events, e.g. agent=agt_1 from=2026-11-01T00:00:00Z",
      )
      .option("--note <text>", "why", ""),
  ).action(add);
  withAdminOptions(hold.command("list").description("list the holds in force")).action(list);
  withAdminOptions(hold.command("remove").description("lift a hold").argument("<id>")).action(
    remove,
  );
}

async function plan(options: AdminOptions): Promise<void> {
  const answer = await administer(options, {
    online: (client) => client.send<RetentionPlan>("GET", "admin/retention"),
    offline: (administration) => administration.planRetention(),
  });
  if (options.json) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else if (answer.keep_days === null) {
    process.stdout.write("retention.keep is not set: nothing is ever dropped\n");
  } else if (answer.segments.length === 0) {
    process.stdout.write(`nothing is older than ${answer.keep_days} days\n`);
  } else await printSegments(answer.segments);
}

async function run(options: AdminOptions): Promise<void> {
  const { dropped } = await administer(options, {
    online: (client) =>
      client.send<{ dropped: PlannedSegment[] }>("POST", "admin/retention/run", {}),
    offline: async (administration) => ({ dropped: await administration.runRetention(OFFLINE) }),
  });
  if (options.json) process.stdout.write(`${JSON.stringify({ dropped })}\n`);
  else if (dropped.length === 0) process.stdout.write("nothing was dropped\n");
  else await printSegments(dropped);
}

async function printSegments(segments: readonly PlannedSegment[]): Promise<void> {
  const { formatTable } = await import("../table.js");
  const table = formatTable(
    [
      { title: "SEGMENT", value: ({ segment }) => segment },
      { title: "EVENTS", value: ({ events }) => events, align: "right" },
      { title: "BYTES", value: ({ bytes }) => bytes, align: "right" },
      { title: "ACTION", value: ({ action }) => action },
      { title: "HELD BY", value: ({ held_by }) => held_by.join(" ") },
    ],
    segments,
  );
  process.stdout.write(`${table}\n`);
}

async function add(
  filters: readonly string[],
  options: AdminOptions & { note: string },
): Promise<void> {
  const { pairOf } = await import("../ask.js");
  const query = new URLSearchParams(filters.map(pairOf)).toString();
  const { note } = options;
  const { hold } = await administer(options, {
    online: (client) => client.send<{ hold: Hold }>("POST", "admin/holds", { query, note }),
    offline: async (administration) => ({
      hold: await administration.addHold(query, note, OFFLINE),
    }),
  });
  if (options.json) process.stdout.write(`${JSON.stringify(hold)}\n`);
  else process.stdout.write(`hold ${hold.id} is in force\n`);
}

async function list(options: AdminOptions): Promise<void> {
  const { holds } = await administer(options, {
    online: (client) => client.send<{ holds: Hold[] }>("GET", "admin/holds"),
    offline: async (administration) => ({ holds: await administration.listHolds() }),
  });
  if (options.json) {
    for (const hold of holds) process.stdout.write(`${JSON.stringify(hold)}\n`);
    return;
  }
  if (holds.length === 0) {
    process.stdout.write("there are no holds\n");
    return;
  }
  const { formatTable } = await import("../table.js");
  const table = formatTable(
    [
      { title: "ID", value: ({ id }) => id },
      { title: "SINCE", value: ({ created_time }) => created_time },
      { title: "EVENTS", value: ({ query }) => query || "all" },
      { title: "NOTE", value: ({ note }) => note },
    ],
    holds,
  );
  process.stdout.write(`${table}\n`);
}

async function remove(id: string, options: AdminOptions): Promise<void> {
  await administer(options, {
    online: (client) => client.send("DELETE", `admin/holds/${encodeURIComponent(id)}`),
    offline: (administration) => administration.removeHold(id, OFFLINE),
  });
  if (!options.json) process.stdout.write(`hold ${id} is lifted\n`);
}
