import { JournalClient } from "@agent-audit/collector";
import { Store, type StoreOptions } from "@agent-audit/store";
import { DirectoryAdministration } from "./administration.js";
import { journalOptions, keepDays, type ServerConfig } from "./server-config.js";

/** A data directory of which no server is running, open and caught up. */
export interface OfflineDirectory {
  store: Store;
  journal: JournalClient;
}

/** Who wants to be told, see `StoreOptions`. */
export type StoreHooks = Pick<StoreOptions, "onProgress" | "onFault" | "onSealingFailed">;

/** Makes a promise that only ever rejects, when it is told to: for `Promise.race`. */
export function expectFailure() {
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Nobody may be waiting just then.
  failure.catch(() => {});
  return { failure, fail };
}

/**
 * Opens a data directory of which no server is running.
 *
 * @throws AuditError `data_directory_locked` when a server holds it
 */
export async function withStore<T>(
  config: ServerConfig,
  use: (directory: OfflineDirectory) => Promise<T>,
  hooks: StoreHooks = {},
): Promise<T> {
  const { failure, fail } = expectFailure();
  const store = await Store.open({
    data: config.data,
    memoryLimitMib: config.engine.memory_limit_mib,
    threads: config.engine.threads,
    onFatal: fail,
    ...hooks,
  });
  try {
    const options = journalOptions(config);
    const { journal } = await JournalClient.open({ store, ...options, onFatal: fail });
    try {
      // Sequences that the engine has seen must not be given again.
      await store.verify();
      await journal.begin();
      await Promise.race([failure, store.follow()]);
      return await Promise.race([failure, use({ store, journal })]);
    } finally {
      await journal.close();
    }
  } finally {
    await store.close();
  }
}

/**
 * Opens a data directory of which no server is running, for what an operator does to it.
 *
 * @throws AuditError `data_directory_locked` when a server holds it
 */
export async function withDataDirectory<T>(
  config: ServerConfig,
  use: (administration: DirectoryAdministration) => Promise<T>,
): Promise<T> {
  return await withStore(config, async ({ store, journal }) =>
    use(
      new DirectoryAdministration({
        store,
        dataDirectory: config.data,
        keepDays: keepDays(config),
        record: (event) => journal.record(event),
      }),
    ),
  );
}
