import type { AuditorOptions } from "@agent-audit/instrumentation";
import { AuditError } from "@agent-audit/schema";
import type { Command } from "commander";

/** Options by which a command says who acts, and what is recorded of it. */
export interface IdentityOptions {
  agent?: string;
  agentName?: string;
  user?: string;
  org?: string;
  project?: string;
  conversation?: string;
  endpoint?: string;
  content: boolean;
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
  ["--no-content", "record no arguments, results and output (AGENT_AUDIT_CONTENT=off)"],
];

/** Adds the identity options to a command. */
export function withIdentityOptions(command: Command): Command {
  for (const [flags, description] of OPTIONS) command.option(flags, description);
  return command;
}

/**
 * Reads identity and endpoint: options, then `AGENT_AUDIT_*`, then OpenTelemetry's variables.
 *
 * @throws AuditError `invalid_endpoint`
 */
export function auditorOptions(options: IdentityOptions, env = process.env): AuditorOptions {
  // What a container sets to nothing is not set.
  const given = (option: string | undefined, variable: string) =>
    option || env[variable] || undefined;
  const agentId = given(options.agent, "AGENT_AUDIT_AGENT_ID");
  const agentName = given(options.agentName, "AGENT_AUDIT_AGENT_NAME");
  const user = given(options.user, "AGENT_AUDIT_USER_ID");
  const org = given(options.org, "AGENT_AUDIT_ORG");
  const project = given(options.project, "AGENT_AUDIT_PROJECT");
  const conversationId = given(options.conversation, "AGENT_AUDIT_CONVERSATION_ID");
  const hasOtelEndpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT;
  const endpoint =
    given(options.endpoint, "AGENT_AUDIT_ENDPOINT") ??
    (hasOtelEndpoint ? undefined : "http://127.0.0.1:4318");
  if (endpoint !== undefined && !/^https?:\/\/[^/]/.test(endpoint)) {
    throw new AuditError(
      "invalid_endpoint",
      `${JSON.stringify(endpoint)} is no address of a collector`,
      "write it like http://127.0.0.1:4318",
    );
  }
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
