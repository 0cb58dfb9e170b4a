import type { Command } from "commander";
import { type AskOptions, ask, withAskOptions } from "../ask.js";
import { displayOf } from "../display.js";

const PARAMETERS = `  interval=hour           or day, week, 15m, 6h and so on
  tz=UTC                  IANA time zone of days and weeks, such as Europe/Berlin
  by=FIELD                divides each bar by a field of aggregate's list
  limit=10                how many groups of it, at most 100`;

const EXAMPLES = [
  "timeseries last=24h",
  "timeseries interval=day tz=Europe/Berlin by=source last=30d",
  "timeseries interval=week by=model source=llm-proxy --json | jq '.buckets[] | [.start, .cost]'",
];

export function addTimeseries(program: Command): void {
  withAskOptions(program.command("timeseries"), PARAMETERS, EXAMPLES)
    .description("draw events over time, with their cost")
    .action(async (filters: string[], options: AskOptions) => {
      const answer = await ask("timeseries", filters, options);
      if (answer === null) return;
      const { timeseriesChart } = await import("../timeseries-chart.js");
      process.stdout.write(`${timeseriesChart(answer, displayOf())}\n`);
    });
}
