import type { Hold } from "@agent-audit/store";
import type { Command } from "commander";
import { type AdminOptions, administer, OFFLINE, withAdminOptions } from "../administer.js";
import { pairOf } from "../ask.js";
import { jsonLine } from "../printable.js";

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

async function add(
  filters: readonly string[],
  options: AdminOptions & { note: string },
): Promise<void> {
  const query = new URLSearchParams(filters.map(pairOf)).toString();
  const { note } = options;
  const { hold } = await administer(options, {
    online: (client) => client.send<{ hold: Hold }>("POST", "admin/holds", { query, note }),
    offline: async (administration) => ({
      hold: await administration.addHold(query, note, OFFLINE),
    }),
  });
  if (options.json) process.stdout.write(jsonLine(hold));
  else process.stdout.write(`hold ${hold.id} is in force\n`);
}

async function list(options: AdminOptions): Promise<void> {
  const { holds } = await administer(options, {
    online: (client) => client.send<{ holds: Hold[] }>("GET", "admin/holds"),
    offline: async (administration) => ({ holds: await administration.listHolds() }),
  });
  const { printList } = await import("../table.js");
  printList(
    holds,
    [
      { title: "ID", value: ({ id }) => id },
      { title: "SINCE", value: ({ created_time }) => created_time },
      { title: "EVENTS", value: ({ query }) => query || "all" },
      { title: "NOTE", value: ({ note }) => note },
    ],
    { json: options.json, empty: "there are no holds" },
  );
}

async function remove(id: string, options: AdminOptions): Promise<void> {
  await administer(options, {
    online: (client) => client.send("DELETE", `admin/holds/${encodeURIComponent(id)}`),
    offline: (administration) => administration.removeHold(id, OFFLINE),
  });
  if (!options.json) process.stdout.write(`hold ${id} is lifted\n`);
}
