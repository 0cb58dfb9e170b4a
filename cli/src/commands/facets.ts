import type { Command } from "commander";
import { type AskOptions, ask, withAskOptions } from "../ask.js";
import { displayOf } from "../display.js";

const PARAMETERS = "  limit=20                how many values of each, at most 1000";

const EXAMPLES = ["facets", "facets agent=agt_01H last=7d"];

export function addFacets(program: Command): void {
  withAskOptions(program.command("facets"), PARAMETERS, EXAMPLES)
    .description(
      "show what there is: counts by source, actor type, result, action type, resource type",
    )
    .action(async (filters: string[], options: AskOptions) => {
      const answer = await ask("facets", filters, options);
      if (answer === null) return;
      const { facetsTable } = await import("../tables.js");
      process.stdout.write(`${facetsTable(answer, displayOf())}\n`);
    });
}
