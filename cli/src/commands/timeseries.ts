import type { Command } from "commander";
import { type AskOptions, ask, withAskOptions } from "../ask.js";

export function addTimeseries(program: Command): void {
  withAskOptions(program.command("timeseries"))
    .description("count events over time (interval=hour tz=Europe/Berlin)")
    .action(async (filters: string[], options: AskOptions) => {
      const answer = await ask("timeseries", filters, options);
      if (answer === null) return;
      const { timeseriesChart } = await import("../tables.js");
      process.stdout.write(`${timeseriesChart(answer)}\n`);
    });
}
