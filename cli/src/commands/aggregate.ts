import type { Command } from "commander";
import { type AskOptions, ask, withAskOptions } from "../ask.js";

export function addAggregate(program: Command): void {
  withAskOptions(program.command("aggregate"))
    .description("group events: counts, durations, tokens, cost (by=source by=result)")
    .action(async (filters: string[], options: AskOptions) => {
      const answer = await ask("aggregate", filters, options);
      if (answer === null) return;
      const { aggregateTable } = await import("../tables.js");
      process.stdout.write(`${aggregateTable(answer)}\n`);
    });
}
