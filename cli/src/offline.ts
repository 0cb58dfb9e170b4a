import { JournalClient } from "@agent-audit/collector";
import { Store } from "@agent-audit/store";
import { DirectoryAdministration } from "./administration.js";
import { journalOptions, keepDays, type ServerConfig } from "./server-config.js";

/**
 * Opens a data directory of which no server is running, for what an operator does to it.
 *
 * @throws AuditError `data_directory_locked` when a server holds it
 */
export async function withDataDirectory<T>(
  config: ServerConfig,
  use: (administration: DirectoryAdministration) => Promise<T>,
): Promise<T> {
  let onFatal: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    onFatal = reject;
  });
  failure.catch(() => {});
  const store = await Store.open({ data: config.data, onFatal });
  try {
    const { journal } = await JournalClient.open({ store, ...journalOptions(config), onFatal });
    try {
      // Sequences that the engine has seen must not be given again.
      await store.verify();
      await Promise.race([failure, store.follow()]);
      const administration = new DirectoryAdministration({
        store,
        dataDirectory: config.data,
        keepDays: keepDays(config),
        record: (event) => journal.record(event),
      });
      return await Promise.race([failure, use(administration)]);
    } finally {
      await journal.close();
    }
  } finally {
    await store.close();
  }
}
