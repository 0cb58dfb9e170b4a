import fs from "node:fs";
import path from "node:path";
import type { QueryClient } from "@agent-audit/query/client";
import { AuditError } from "@agent-audit/schema";
import type { Command } from "commander";
import { clientFor } from "./ask.js";
import type { ServerConfig } from "./server-config.js";

/** Options of a command that works at a running server or on a data directory. */
export interface PlaceOptions {
  api?: string;
  config?: string;
  data?: string;
}

export function withPlaceOptions(command: Command): Command {
  return command
    .option("--api <url>", "query API of a running server (AGENT_AUDIT_API)")
    .option(
      "--config <file>",
      "configuration file, which says where both are (default: agent-audit.yaml, if there is one)",
    )
    .option("--data <dir>", "data directory (AGENT_AUDIT_DATA; default: ./agent-audit-data)");
}

/** What a command does, one way or the other. */
export interface Ways<T, Place> {
  online(client: QueryClient): Promise<T>;
  offline(place: Place): Promise<T>;
}

/**
 * Chooses where a command works: at the server that `--api` names; on the data directory that options, variables or the
 * configuration name; where nothing is named at the server of the usual address, or else on the usual directory.
 *
 * @param makesDirectory whether the data directory may be a new one
 * @throws AuditError `invalid_options`, `unreachable`, `data_directory`
 */
export async function reach<T>(
  options: PlaceOptions,
  { online, offline }: Ways<T, ServerConfig>,
  makesDirectory = false,
): Promise<T> {
  const { api, config: file, data: directory } = options;
  const namesDirectory = file !== undefined || directory !== undefined;
  if (api !== undefined && namesDirectory) {
    throw new AuditError(
      "invalid_options",
      "--api names a server, --data and --config a data directory",
      "give one of them",
    );
  }
  if (api !== undefined || (!namesDirectory && process.env.AGENT_AUDIT_API)) {
    return await online(await clientFor(options));
  }
  const { apiUrlOf, loadServerConfig } = await import("./server-config.js");
  const { config, originOf } = loadServerConfig({
    ...(file !== undefined && { config: file }),
    ...(directory !== undefined && { data: directory }),
  });
  const server = apiUrlOf(config);
  const state = stateOf(config.data);
  const isNew = state === "none";
  // Whoever may not look into it can ask its server.
  if (state === "closed") return await online(await clientFor({ api: server }));
  if (originOf(["data"]) === null) {
    try {
      return await online(await clientFor({ api: server }));
    } catch (error) {
      const isNobodyThere = error instanceof AuditError && error.code === "unreachable";
      if (!isNobodyThere || (isNew && !makesDirectory)) throw error;
    }
    process.stderr.write(`no server answers at ${server}: working on ${config.data}\n`);
  }
  if (isNew && !makesDirectory) refuseNew(config.data);
  return await offline(config);
}

/** Refuses a path that holds no data, which a command must not make up. @throws AuditError `data_directory` */
export function checkDataDirectory(data: string): void {
  if (stateOf(data) === "none") refuseNew(data);
}

/** Says whether a path is a data directory, or one that this user may not look into. */
function stateOf(data: string): "there" | "none" | "closed" {
  try {
    fs.statSync(path.join(data, "journal"));
    return "there";
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    return code === "EACCES" || code === "EPERM" ? "closed" : "none";
  }
}

function refuseNew(data: string): never {
  throw new AuditError(
    "data_directory",
    `${data} is no data directory: it has no journal`,
    "name the directory that `agent-audit serve` was given, with --data DIR or AGENT_AUDIT_DATA",
  );
}
