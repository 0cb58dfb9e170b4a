import type { Command } from "commander";
import { type IdentityOptions, withIdentityOptions } from "../identity-options.js";
import { runAudited } from "../run-audited.js";

export function addExec(program: Command): void {
  withIdentityOptions(program.command("exec"))
    .description("run a command, audited; its streams and exit code are unchanged")
    .argument("<command...>", "the command and its arguments, after --")
    .passThroughOptions()
    .action(async (argv: string[], options: IdentityOptions) => {
      const { execCommand } = await import("@agent-audit/proxy");
      await runAudited(options, (auditor, content) => execCommand(auditor, argv, content));
    });
}
