import type { Command } from "commander";
import { type AskOptions, ask, withAskOptions } from "../ask.js";

export function addFacets(program: Command): void {
  withAskOptions(program.command("facets"))
    .description(
      "show what there is: counts by source, actor type, result, action type, resource type",
    )
    .action(async (filters: string[], options: AskOptions) => {
      const answer = await ask("facets", filters, options);
      if (answer === null) return;
      const { facetsTable } = await import("../tables.js");
      process.stdout.write(`${facetsTable(answer)}\n`);
    });
}
