import fs from "node:fs";
import path from "node:path";
import type { QueryClient } from "@agent-audit/query/client";
import { AuditError } from "@agent-audit/schema";
import { clientFor } from "./ask.js";
import { apiUrlOf, type ServerConfig } from "./server-config.js";

/**
 * Finds the server that holds a data directory, at the address that its configuration says: another's trail must not be
 * changed in its place.
 *
 * @throws AuditError `unreachable`, `wrong_server`
 */
export async function clientOfHolder(config: ServerConfig): Promise<QueryClient> {
  const api = apiUrlOf(config);
  const hint = "name the query API of its server with --api URL, instead of the directory";
  const client = await clientFor({ api });
  // Whoever may administer may ask this, where keys are needed for all else.
  const held = await client.send<{ store_id: string }>("GET", "admin/store").catch((error) => {
    if (!(error instanceof AuditError) || error.code !== "unreachable") throw error;
    throw new AuditError(
      "unreachable",
      `a server holds ${config.data}, and none answers at ${api}`,
      hint,
    );
  });
  const { store_id } = JSON.parse(fs.readFileSync(path.join(config.data, "store.json"), "utf8"));
  if (held.store_id === store_id) return client;
  throw new AuditError(
    "wrong_server",
    `a server holds ${config.data}, and the one at ${api} is another`,
    hint,
  );
}
