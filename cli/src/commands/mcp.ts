import type { Command } from "commander";
import { type IdentityOptions, withIdentityOptions } from "../identity-options.js";
import { runAudited } from "../run-audited.js";

export function addMcp(program: Command): void {
  withIdentityOptions(program.command("mcp"))
    .description("run a stdio MCP server behind an audited pipe")
    .argument("<command...>", "the server's command and its arguments, after --")
    .passThroughOptions()
    .action(async (argv: string[], options: IdentityOptions) => {
      const { proxyMcpStdio } = await import("@agent-audit/proxy");
      await runAudited(options, (auditor, content) => proxyMcpStdio(auditor, argv, content));
    });
}
