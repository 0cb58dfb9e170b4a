import type { Command } from "commander";
import { type AskOptions, ask, withAskOptions } from "../ask.js";

export function addEvents(program: Command): void {
  withAskOptions(program.command("events"))
    .description("list events, newest first")
    .action(async (filters: string[], options: AskOptions) => {
      const answer = await ask("events", filters, options);
      if (answer === null) return;
      const { eventsTable } = await import("../tables.js");
      process.stdout.write(`${eventsTable(answer.events)}\n`);
    });
}
