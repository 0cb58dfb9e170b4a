import {
  createKey,
  type Key,
  keyFile,
  type NewKey,
  readKeys,
  revokeKey,
} from "@agent-audit/access";
import type { ServerEvent } from "@agent-audit/collector";
import type { Administration } from "@agent-audit/query";
import { keyChangeEvent } from "./server-events.js";

/** Does what an operator asks for, and records it in the trail. */
export class DirectoryAdministration implements Administration {
  readonly #keyFile: string;
  readonly #record: (event: ServerEvent) => Promise<void>;

  /** @param record stores an event of the server's own */
  constructor(dataDirectory: string, record: (event: ServerEvent) => Promise<void>) {
    this.#keyFile = keyFile(dataDirectory);
    this.#record = record;
  }

  listKeys(): Key[] {
    return readKeys(this.#keyFile);
  }

  async createKey(wanted: NewKey): Promise<{ key: Key; text: string }> {
    const made = createKey(this.#keyFile, wanted, new Date());
    try {
      await this.#record(keyChangeEvent("key_created", made.key));
    } catch (error) {
      // A key that the trail does not know of must not work.
      revokeKey(this.#keyFile, made.key.id, new Date());
      throw error;
    }
    return made;
  }

  async revokeKey(id: string): Promise<Key> {
    const key = revokeKey(this.#keyFile, id, new Date());
    await this.#record(keyChangeEvent("key_revoked", key));
    return key;
  }
}
