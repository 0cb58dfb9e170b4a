import type { PlannedSegment, RetentionPlan } from "@agent-audit/query";
import type { Command } from "commander";
import { type AdminOptions, administer, OFFLINE, withAdminOptions } from "../administer.js";
import { jsonLine } from "../printable.js";

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

async function plan(options: AdminOptions): Promise<void> {
  const answer = await administer(options, {
    online: (client) => client.send<RetentionPlan>("GET", "admin/retention"),
    offline: (administration) => administration.planRetention(),
  });
  if (options.json) process.stdout.write(jsonLine(answer));
  else if (answer.keep_days === null) {
    process.stdout.write("retention.keep is not set: nothing is ever dropped\n");
  } else await printSegments(answer.segments, `nothing is older than ${answer.keep_days} days`);
}

async function run(options: AdminOptions): Promise<void> {
  const { dropped } = await administer(options, {
    online: (client) =>
      client.send<{ dropped: PlannedSegment[] }>("POST", "admin/retention/run", {}),
    offline: async (administration) => ({ dropped: await administration.runRetention(OFFLINE) }),
  });
  if (options.json) process.stdout.write(jsonLine({ dropped }));
  else await printSegments(dropped, "nothing was dropped");
}

async function printSegments(segments: readonly PlannedSegment[], empty: string): Promise<void> {
  const { printList } = await import("../table.js");
  printList(
    segments,
    [
      { title: "SEGMENT", value: ({ segment }) => segment },
      { title: "EVENTS", value: ({ events }) => events, align: "right" },
      { title: "BYTES", value: ({ bytes }) => bytes, align: "right" },
      { title: "ACTION", value: ({ action }) => action },
      { title: "HELD BY", value: ({ held_by }) => held_by.join(" ") },
    ],
    { json: false, empty },
  );
}
