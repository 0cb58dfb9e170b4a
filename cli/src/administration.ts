import { randomUUID } from "node:crypto";
import {
  addKey,
  keyFile,
  makeKey,
  type NewKey,
  type PublicKey,
  publicKey,
  readKeys,
  revokeKey,
} from "@agent-audit/access";
import type { ServerEvent } from "@agent-audit/collector";
import {
  type Administration,
  checkHold,
  type PlannedSegment,
  Retention,
  type RetentionPlan,
  refuseWithoutRetention,
} from "@agent-audit/query";
import { AuditError } from "@agent-audit/schema";
import type { Hold, Store } from "@agent-audit/store";
import { dropEvent, holdEvent, keyChangeEvent } from "./server-events.js";

export interface AdministrationOptions {
  store: Store;
  dataDirectory: string;
  /** Days after which segments are dropped; `null` for never. */
  keepDays: number | null;
  /** Stores an event of the server's own. */
  record: (event: ServerEvent) => Promise<void>;
}

/** Does what an operator asks for, and records it in the trail. */
export class DirectoryAdministration implements Administration {
  readonly storeId: string;
  readonly #options: AdministrationOptions;
  readonly #keyFile: string;
  readonly #retention: Retention;

  constructor(options: AdministrationOptions) {
    const { store, keepDays, record } = options;
    this.storeId = store.storeId;
    this.#options = options;
    this.#keyFile = keyFile(options.dataDirectory);
    this.#retention = new Retention({
      store,
      keepDays,
      onDrop: (segment, caller) => record(dropEvent(segment, caller)),
    });
  }

  listKeys(): PublicKey[] {
    return readKeys(this.#keyFile).map(publicKey);
  }

  async createKey(wanted: NewKey, caller: string): Promise<{ key: PublicKey; text: string }> {
    const made = makeKey(wanted, new Date());
    // Recorded first: a key that the trail does not know of must not work.
    await this.#options.record(keyChangeEvent("key_created", made.key, caller));
    addKey(this.#keyFile, made.key);
    return { key: publicKey(made.key), text: made.text };
  }

  async revokeKey(id: string, caller: string): Promise<PublicKey> {
    const key = revokeKey(this.#keyFile, id, new Date());
    await this.#options.record(keyChangeEvent("key_revoked", key, caller));
    return publicKey(key);
  }

  async planRetention(): Promise<RetentionPlan> {
    return await this.#retention.plan();
  }

  async runRetention(caller: string): Promise<PlannedSegment[]> {
    refuseWithoutRetention(this.#options.keepDays);
    return await this.#retention.run(caller);
  }

  async listHolds(): Promise<Hold[]> {
    return await this.#options.store.holds();
  }

  async addHold(query: string, note: string, caller: string): Promise<Hold> {
    checkHold(query);
    const id = randomUUID().slice(0, 8);
    const hold = { id, query, note, created_time: new Date().toISOString() };
    await this.#retention.withHoldsFixed(() => this.#options.store.addHold(hold));
    try {
      await this.#options.record(holdEvent("hold_added", hold, caller));
    } catch (error) {
      // Asked for again, it would be there twice, once unknown to the trail.
      await this.#options.store.removeHold(id).catch(() => {
        // Why it was not added says more.
      });
      throw error;
    }
    return hold;
  }

  async removeHold(id: string, caller: string): Promise<void> {
    const hold = (await this.listHolds()).find((hold) => hold.id === id);
    if (hold === undefined) {
      throw new AuditError("not_found", `there is no hold ${id}`, "agent-audit hold list");
    }
    // Recorded first: what it kept may go as soon as it is lifted.
    await this.#options.record(holdEvent("hold_removed", hold, caller));
    await this.#options.store.removeHold(id);
  }
}
