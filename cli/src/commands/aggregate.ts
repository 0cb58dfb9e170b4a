import type { Command } from "commander";
import { type AskOptions, ask, withAskOptions } from "../ask.js";
import { displayOf } from "../display.js";

const PARAMETERS = `  by=FIELD                what to group by, one to three times: source, agent, user_id, model, provider,
                          project, org, action, action_type, resource_type, resource_id, result,
                          decision, status_code, error_type, event_name, actor_type, actor_id
  limit=100               how many groups, at most 1000; the rest is added up as (other)
  order_by=count          or cost, duration, input_tokens, output_tokens, bytes, failure_count, error_count`;

const EXAMPLES = [
  "aggregate by=source by=result last=24h",
  "aggregate by=agent by=model order_by=cost last=7d",
  "aggregate by=resource_id result=failure limit=10",
];

export function addAggregate(program: Command): void {
  withAskOptions(program.command("aggregate"), PARAMETERS, EXAMPLES)
    .description("group events: counts, durations, tokens, cost")
    .action(async (filters: string[], options: AskOptions) => {
      const answer = await ask("aggregate", filters, options);
      if (answer === null) return;
      const { aggregateTable } = await import("../tables.js");
      process.stdout.write(`${aggregateTable(answer, displayOf())}\n`);
    });
}
