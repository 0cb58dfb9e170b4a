import { AuditError } from "@agent-audit/schema";
import type { Command } from "commander";
import type { DirectoryAdministration } from "./administration.js";
import { type PlaceOptions, reach, type Ways, withPlaceOptions } from "./reach.js";

/** Stands for the caller where no server is asked. */
export const OFFLINE = "offline";

/** Options of every command that changes something about a server or its data directory. */
export interface AdminOptions extends PlaceOptions {
  json?: boolean;
}

export function withAdminOptions(command: Command): Command {
  return withPlaceOptions(command).option("--json", "print JSON");
}

/**
 * Works at the running server or, where none holds the data directory, on that.
 *
 * @param makesDirectory whether the data directory may be a new one
 */
export async function administer<T>(
  options: AdminOptions,
  { online, offline }: Ways<T, DirectoryAdministration>,
  makesDirectory = false,
): Promise<T> {
  return await reach(
    options,
    {
      online,
      offline: async (config) => {
        const { withDataDirectory } = await import("./offline.js");
        try {
          return await withDataDirectory(config, offline);
        } catch (error) {
          const isHeld = error instanceof AuditError && error.code === "data_directory_locked";
          if (!isHeld) throw error;
          const { clientOfHolder } = await import("./holder.js");
          return await online(await clientOfHolder(config));
        }
      },
    },
    makesDirectory,
  );
}
