import { AuditError } from "@agent-audit/schema";
import type { Command } from "commander";
import { jsonLine } from "../printable.js";
import type { ServerOptions } from "../server-config.js";
import { withServerOptions } from "../server-options.js";

export function addConfig(program: Command): void {
  const config = program
    .command("config")
    .description("check and show the configuration of `agent-audit serve`");
  withServerOptions(
    config
      .command("check")
      .description("list every fault of the configuration; exits 0 when there is none, else 2"),
  ).action(check);
  withServerOptions(
    config
      .command("print")
      .description("print the effective configuration as YAML, secrets masked")
      .option("--json", "print JSON"),
  ).action(print);
}

async function check(options: ServerOptions): Promise<void> {
  const { loadServerConfig } = await import("../server-config.js");
  const { checkListeners } = await import("../listeners.js");
  const { config, file } = loadServerConfig(options);
  const faults: AuditError[] = [];
  checkListeners(config, (fault) => faults.push(fault));
  if (faults.length > 0) {
    const list = faults.map(({ message, hint }) => `\n  ${message}; ${hint}`).join("");
    throw new AuditError(
      "invalid_config",
      `${file ?? "the configuration"}: a server would not start with it:${list}`,
      "every option is in docs/operating.md",
    );
  }
  process.stdout.write(`${file ?? "no configuration file"}: no faults\n`);
}

async function print(options: ServerOptions & { json?: boolean }): Promise<void> {
  const { loadServerConfig, serverConfig } = await import("../server-config.js");
  const { maskSecrets } = await import("../config-secrets.js");
  const { config, originOf } = loadServerConfig(options);
  const masked = maskSecrets(serverConfig, config);
  if (options.json) {
    process.stdout.write(jsonLine(masked));
    return;
  }
  const { Document, visit } = await import("yaml");
  const document = new Document(masked);
  visit(document, {
    Pair(_, { key, value }, ancestors) {
      const names = ancestors.flatMap((node) =>
        "key" in node ? [(node.key as { value: string }).value] : [],
      );
      const scalar = value as { value?: unknown; comment?: string };
      if (scalar.value === undefined) return;
      const path = [...names, (key as { value: string }).value];
      scalar.comment = ` ${originOf(path) ?? "default"}`;
    },
  });
  process.stdout.write(document.toString());
}
