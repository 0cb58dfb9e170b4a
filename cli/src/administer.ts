import type { QueryClient } from "@agent-audit/query/client";
import { AuditError } from "@agent-audit/schema";
import type { Command } from "commander";
import type { DirectoryAdministration } from "./administration.js";
import { clientFor } from "./ask.js";

/** Stands for the caller where no server is asked. */
export const OFFLINE = "offline";

/** Options of every command that changes something about a server or its data directory. */
export interface AdminOptions {
  api?: string;
  config?: string;
  data?: string;
  json?: boolean;
}

export function withAdminOptions(command: Command): Command {
  return command
    .option("--api <url>", "query API (AGENT_AUDIT_API; default http://127.0.0.1:8318)")
    .option("--config <file>", "configuration file, for a data directory without a server")
    .option("--data <dir>", "data directory of which no server is running")
    .option("--json", "print JSON");
}

/** What a command does, one way or the other. */
export interface Ways<T> {
  online(client: QueryClient): Promise<T>;
  offline(administration: DirectoryAdministration): Promise<T>;
}

/**
 * Asks the running server, or, where none answers and none was named, works on the data directory itself.
 *
 * @throws AuditError `data_directory_locked` when a server holds the directory at another address
 */
export async function administer<T>(options: AdminOptions, ways: Ways<T>): Promise<T> {
  const isNamed = options.api !== undefined || process.env.AGENT_AUDIT_API !== undefined;
  if (options.data === undefined) {
    try {
      return await ways.online(await clientFor(options));
    } catch (error) {
      const isNobodyThere = error instanceof AuditError && error.code === "unreachable";
      if (isNamed || !isNobodyThere) throw error;
    }
  }
  const { loadServerConfig } = await import("./server-config.js");
  const { withDataDirectory } = await import("./offline.js");
  const { config, data } = options;
  const loaded = loadServerConfig({ ...(config && { config }), ...(data && { data }) });
  return await withDataDirectory(loaded.config, (administration) => ways.offline(administration));
}
