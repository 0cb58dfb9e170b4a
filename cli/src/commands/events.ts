import type { Command } from "commander";
import { type AskOptions, ask, withAskOptions } from "../ask.js";
import { displayOf } from "../display.js";

const PARAMETERS = `  limit=50                how many, at most 200
  order=desc|asc|seq      newest first, oldest first, or as they were stored
  cursor=…                the next page: what the page before has printed
  fields=content          with --json: captured output, arguments and results, too`;

const EXAMPLES = [
  "events last=1h",
  "events source=shell result=failure result=error last=24h",
  "events agent=agt_01H resource_id='prod/*' order=asc",
  "events q='rm -rf' --json | jq '.events[].metadata'",
];

export function addEvents(program: Command): void {
  withAskOptions(program.command("events"), PARAMETERS, EXAMPLES)
    .description("list events, newest first")
    .action(async (filters: string[], options: AskOptions) => {
      const answer = await ask("events", filters, options);
      if (answer === null) return;
      const { eventsTable } = await import("../tables.js");
      process.stdout.write(`${eventsTable(answer.events, displayOf())}\n`);
      const { next_cursor: cursor, partial } = answer;
      if (cursor === null) return;
      // Not in the table: a program that reads that must find events only.
      const reason = partial ? "time was over before all was searched" : "there are more";
      process.stderr.write(`${reason}; the same command with cursor=${cursor} goes on\n`);
    });
}
