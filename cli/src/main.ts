import { AuditError } from "@agent-audit/schema";
import { Command } from "commander";
import { addAggregate } from "./commands/aggregate.js";
import { addConfig } from "./commands/config.js";
import { addDemo } from "./commands/demo.js";
import { addEvents } from "./commands/events.js";
import { addExec } from "./commands/exec.js";
import { addFacets } from "./commands/facets.js";
import { addHold } from "./commands/hold.js";
import { addKeys } from "./commands/keys.js";
import { addMcp } from "./commands/mcp.js";
import { addQuarantine } from "./commands/quarantine.js";
import { addRetention } from "./commands/retention.js";
import { addServe } from "./commands/serve.js";
import { addStatus } from "./commands/status.js";
import { addStore } from "./commands/store.js";
import { addTimeseries } from "./commands/timeseries.js";
import { EXIT_USAGE, exitCodeFor } from "./exit-codes.js";
import { VERSION } from "./version.js";

const program = new Command("agent-audit")
  .description("The flight recorder for AI agents.")
  .version(VERSION)
  .enablePositionalOptions()
  .showHelpAfterError("(agent-audit --help lists the commands)")
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  });

/** Commands that print an answer and do nothing else: when their reader has seen enough, as `head` has, they end. */
const ANSWERING = "events aggregate facets timeseries status list show plan print".split(" ");
/** Commands in which the reader's end is told to what they run. */
const PASSING_ON = ["exec", "mcp"];
program.hook("preAction", (_, command) => {
  const name = command.name();
  if (PASSING_ON.includes(name)) return;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    // All others finish what they do, and end with a code of their own.
    if (ANSWERING.includes(name)) process.exit(0);
  });
});

for (const add of [
  addServe,
  addDemo,
  addExec,
  addMcp,
  addEvents,
  addAggregate,
  addTimeseries,
  addFacets,
  addStatus,
  addQuarantine,
  addKeys,
  addRetention,
  addHold,
  addStore,
  addConfig,
]) {
  add(program);
}

try {
  await program.parseAsync();
} catch (error) {
  const hint = error instanceof AuditError ? `\nhint: ${error.hint}` : "";
  process.stderr.write(`agent-audit: ${(error as Error).message}${hint}\n`);
  process.exit(exitCodeFor(error));
}
