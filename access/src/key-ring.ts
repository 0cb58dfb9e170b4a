import fs from "node:fs";
import { AuditError } from "@agent-audit/schema";
import { idInText, isTextOf, type Key, readKeys } from "./keys.js";

/** The keys as they are at one moment. */
export class KeySet {
  readonly #keys: ReadonlyMap<string, Key>;
  /** Whether anybody needs a key. */
  readonly isNeeded: boolean;
  /** Whether a key that may administer exists, or has existed, or cannot be excluded. */
  readonly hasAdmin: boolean;
  /** Why nobody can be let in; `null` when the keys can be used. */
  readonly error: AuditError | null;

  /** @param keys all keys, revoked ones too; `null` where there have never been any */
  constructor(keys: readonly Key[] | null, error: AuditError | null = null) {
    const usable = (keys ?? []).filter(({ revoked_time }) => revoked_time === null);
    this.#keys = new Map(usable.map((key) => [key.id, key]));
    this.isNeeded = keys !== null;
    this.hasAdmin = error !== null || (keys ?? []).some(({ scope }) => scope === "admin");
    this.error = error;
  }

  /** Whether what was begun with a key may go on. */
  isUsable(id: string): boolean {
    return this.#keys.has(id);
  }

  /** Finds the key of a text; `null` for none. */
  find(text: string): Key | null {
    const key = this.#keys.get(idInText(text) ?? "");
    // Compared in any case, so that the time tells nothing about which ids there are.
    return isTextOf(text, key) ? (key ?? null) : null;
  }
}

/**
 * The keys of a running server: the file is looked at before every use, so that a change counts at once. Once there
 * were keys, a file that is missing is a fault, and never lets anybody in.
 */
export class KeyRing {
  readonly #file: string;
  #current = new KeySet(null);
  /** Of the file that `current` was read from; `""` for none, and after a fault that may pass. */
  #version = "";

  constructor(file: string) {
    this.#file = file;
    // What was there at the start is missed when it goes.
    this.current();
  }

  /** Gives the keys as the file has them now. */
  current(): KeySet {
    const version = versionOf(this.#file);
    const isSettled = version !== "" || !this.#current.isNeeded;
    if (version !== this.#version || !isSettled) {
      this.#current = this.#read(version);
      // A file that is broken stays so until it is written; a fault of the disk may pass.
      const { cause } = this.#current.error ?? {};
      this.#version = typeof (cause as NodeJS.ErrnoException)?.code === "string" ? "" : version;
    }
    return this.#current;
  }

  #read(version: string): KeySet {
    try {
      const keys = readKeys(this.#file);
      if (keys.some(({ revoked_time }) => revoked_time === null)) return new KeySet(keys);
      if (keys.length > 0) return new KeySet(keys, allRevoked(this.#file));
      // Gone before the look at it or after it; one that is there and empty was made so.
      const isUntouched = version === "" && !this.#current.isNeeded;
      return isUntouched ? new KeySet(null) : new KeySet([], gone(this.#file));
    } catch (error) {
      return new KeySet([], error as AuditError);
    }
  }
}

function gone(file: string): AuditError {
  return new AuditError(
    "keys_unreadable",
    `${file} is gone, or holds no key`,
    "restore it from a backup, or restart the server, which then listens on loopback only",
  );
}

// Whoever revokes the last key does not mean to let everybody in.
function allRevoked(file: string): AuditError {
  return new AuditError(
    "keys_unreadable",
    `all keys of ${file} are revoked`,
    "make one with `agent-audit keys create`, with the server stopped",
  );
}

/** Changes whenever the file is written; `""` for no file. */
function versionOf(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? "" : `${stat.ino}-${stat.mtimeNs}-${stat.size}`;
}
