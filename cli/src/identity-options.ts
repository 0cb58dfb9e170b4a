import type { AuditorOptions } from "@agent-audit/instrumentation";
import type { Command } from "commander";

/** Options by which a command says who acts. */
export interface IdentityOptions {
  agent?: string;
  agentName?: string;
  user?: string;
  org?: string;
  project?: string;
  conversation?: string;
  endpoint?: string;
}

const OPTIONS: readonly (readonly [flags: string, description: string])[] = [
  ["--agent <id>", "id of the agent (AGENT_AUDIT_AGENT_ID)"],
  ["--agent-name <name>", "name of the agent (AGENT_AUDIT_AGENT_NAME)"],
  ["--user <id>", "user on whose behalf it acts (AGENT_AUDIT_USER_ID)"],
  ["--org <id>", "organisation (AGENT_AUDIT_ORG)"],
  ["--project <id>", "project (AGENT_AUDIT_PROJECT)"],
  ["--conversation <id>", "conversation or run (AGENT_AUDIT_CONVERSATION_ID)"],
  [
    "--endpoint <url>",
    "where events go (AGENT_AUDIT_ENDPOINT, OTEL_EXPORTER_OTLP_*; default http://127.0.0.1:4318)",
  ],
];

/** Adds the identity options to a command. */
export function withIdentityOptions(command: Command): Command {
  for (const [flags, description] of OPTIONS) command.option(flags, description);
  return command;
}

/** Reads identity and endpoint: options, then `AGENT_AUDIT_*`, then OpenTelemetry's variables. */
export function auditorOptions(options: IdentityOptions, env = process.env): AuditorOptions {
  const agentId = options.agent ?? env.AGENT_AUDIT_AGENT_ID;
  const agentName = options.agentName ?? env.AGENT_AUDIT_AGENT_NAME;
  const user = options.user ?? env.AGENT_AUDIT_USER_ID;
  const org = options.org ?? env.AGENT_AUDIT_ORG;
  const project = options.project ?? env.AGENT_AUDIT_PROJECT;
  const conversationId = options.conversation ?? env.AGENT_AUDIT_CONVERSATION_ID;
  const hasOtelEndpoint =
    env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined ||
    env.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT !== undefined;
  const endpoint =
    options.endpoint ??
    env.AGENT_AUDIT_ENDPOINT ??
    (hasOtelEndpoint ? undefined : "http://127.0.0.1:4318");
  const agent = {
    ...(agentId === undefined ? {} : { id: agentId }),
    ...(agentName === undefined ? {} : { name: agentName }),
  };
  return {
    ...(Object.keys(agent).length === 0 ? {} : { agent }),
    ...(user === undefined ? {} : { user: { id: user } }),
    ...(org === undefined ? {} : { org }),
    ...(project === undefined ? {} : { project }),
    ...(conversationId === undefined ? {} : { conversationId }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}
