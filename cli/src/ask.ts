import type { Answers, QueryClient } from "@agent-audit/query/client";
import { AuditError } from "@agent-audit/schema";
import type { Command } from "commander";
import { askHelp } from "./filter-help.js";
import { jsonLine } from "./printable.js";

/** Options of every command that asks the query API. */
export interface AskOptions {
  api?: string;
  json?: boolean;
}

/**
 * Adds what every asking command takes: filters as `name=value`, the API's address, JSON output.
 *
 * @param parameters lines of help about what the command takes beside filters
 */
export function withAskOptions(
  command: Command,
  parameters: string,
  examples: readonly string[],
): Command {
  return command
    .argument("[filters...]", "filters and parameters as name=value, see below")
    .option("--api <url>", "query API (AGENT_AUDIT_API; default http://127.0.0.1:8318)")
    .option("--json", "print the API's JSON")
    .addHelpText("after", askHelp(parameters, examples));
}

/** Asks an endpoint; prints JSON if wanted, else gives the answer for a table. */
export async function ask<E extends keyof Answers>(
  endpoint: E,
  filters: readonly string[],
  options: AskOptions,
): Promise<Answers[E] | null> {
  const client = await clientFor(options);
  const answer = await client.get(endpoint, filters.map(pairOf));
  if (!options.json) return answer;
  process.stdout.write(jsonLine(answer));
  return null;
}

/** Makes a client of the API that the options or the environment name, with the key of `AGENT_AUDIT_API_KEY`. */
export async function clientFor({ api }: AskOptions): Promise<QueryClient> {
  const { QueryClient } = await import("@agent-audit/query/client");
  const { AGENT_AUDIT_API, AGENT_AUDIT_API_KEY } = process.env;
  // What a container sets to nothing is not set.
  const url = api ?? (AGENT_AUDIT_API || "http://127.0.0.1:8318");
  return new QueryClient(url, AGENT_AUDIT_API_KEY || undefined);
}

/** Reads `name=value`. @throws AuditError `invalid_filter` */
export function pairOf(filter: string): [string, string] {
  const at = filter.indexOf("=");
  if (at < 1) {
    throw new AuditError(
      "invalid_filter",
      `${JSON.stringify(filter)} is no filter`,
      "write name=value, e.g. source=shell",
    );
  }
  return [filter.slice(0, at), filter.slice(at + 1)];
}
