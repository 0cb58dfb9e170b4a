import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { AuditError } from "@agent-audit/schema";
import { z } from "zod";

const FILE = "keys.json";
const VERSION = 1;
const PREFIX = "aak";
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const ID_LENGTH = 10;
/** 160 bits. */
const SECRET_LENGTH = 32;
const TOKEN = new RegExp(`^${PREFIX}_([a-z2-7]{${ID_LENGTH}})_[a-z2-7]{${SECRET_LENGTH}}$`);
/** Bytes of an id that a key binds: it stands in every frame that the key sends. */
const MAX_BOUND_BYTES = 255;

/** What a key may be used for: `ingest` sends, `read` asks, `admin` asks and administers. */
export const SCOPES = ["ingest", "read", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

const bound = z
  .string()
  .min(1)
  .refine(
    (text) => Buffer.byteLength(text) <= MAX_BOUND_BYTES,
    `has more than ${MAX_BOUND_BYTES} bytes`,
  )
  .nullable();

const keySchema = z.object({
  id: z.string(),
  scope: z.enum(SCOPES),
  /** Organisation, project and agent that the key fixes; `null` for what it leaves open. */
  org: bound,
  project: bound,
  agent: bound,
  /** Bytes of bodies, as they come, that the key may send; `null` for no limit. */
  max_bytes_per_second: z.int().min(1).nullable(),
  created_time: z.string(),
  revoked_time: z.string().nullable(),
  /** SHA-256 of the whole key, hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Who administers can make any key, so a bound would be none. */
const newKeySchema = keySchema.refine(
  ({ scope, org, project, agent }) =>
    scope !== "admin" || (org === null && project === null && agent === null),
  "an admin key cannot be bound to an organisation, project or agent",
);

const fileSchema = z.object({ version: z.literal(VERSION), keys: z.array(keySchema) });

/** A key as it is kept: its text is shown once and nowhere stored. */
export type Key = z.infer<typeof keySchema>;

/** A key without what could be used to guess it. */
export type PublicKey = Omit<Key, "sha256">;

/** What its maker says of a new key. */
export interface NewKey {
  scope: Scope;
  org?: string | undefined;
  project?: string | undefined;
  agent?: string | undefined;
  max_bytes_per_second?: number | undefined;
}

/** Names the file of keys in a data directory. */
export function keyFile(dataDirectory: string): string {
  return path.join(dataDirectory, FILE);
}

/** Reads the keys; none where there is no file. @throws AuditError `keys_unreadable` */
export function readKeys(file: string): Key[] {
  try {
    return fileSchema.parse(JSON.parse(fs.readFileSync(file, "utf8"))).keys;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new AuditError(
      "keys_unreadable",
      `${file} cannot be read as keys: ${(cause as Error).message}`,
      "restore it from a backup; without it nobody is let in",
      { cause },
    );
  }
}

/**
 * Makes a key, which works once it is {@link addKey added}.
 *
 * @returns the key, and its text, which cannot be had again
 * @throws AuditError `invalid_key`
 */
export function makeKey(wanted: NewKey, now: Date): { key: Key; text: string } {
  const id = base32(ID_LENGTH);
  const text = `${PREFIX}_${id}_${base32(SECRET_LENGTH)}`;
  const parsed = newKeySchema.safeParse({
    id,
    scope: wanted.scope,
    org: wanted.org ?? null,
    project: wanted.project ?? null,
    agent: wanted.agent ?? null,
    max_bytes_per_second: wanted.max_bytes_per_second ?? null,
    created_time: now.toISOString(),
    revoked_time: null,
    sha256: digestOf(text).toString("hex"),
  });
  if (!parsed.success) {
    throw new AuditError(
      "invalid_key",
      parsed.error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; "),
      `give --scope ${SCOPES.join("|")}, and for the first two ids of 1 to ${MAX_BOUND_BYTES} bytes`,
    );
  }
  return { key: parsed.data, text };
}

/** Adds a key to a file, making that when it is missing. @throws AuditError `keys_unreadable` */
export function addKey(file: string, key: Key): void {
  writeKeys(file, [...readKeys(file), key]);
}

/** Makes a key useless, at once. @throws AuditError `not_found`, `keys_unreadable` */
export function revokeKey(file: string, id: string, now: Date): Key {
  const keys = readKeys(file);
  const key = keys.find((key) => key.id === id);
  if (key === undefined) {
    throw new AuditError("not_found", `there is no key ${id}`, "agent-audit keys list names them");
  }
  if (key.revoked_time !== null) return key;
  const revoked = { ...key, revoked_time: now.toISOString() };
  writeKeys(
    file,
    keys.map((other) => (other === key ? revoked : other)),
  );
  return revoked;
}

/** Replaces the file as a whole, durably: a reader sees the old keys or the new ones. */
function writeKeys(file: string, keys: readonly Key[]): void {
  const temporary = `${file}.${randomUUID()}.new`;
  const fd = fs.openSync(temporary, "wx", 0o600);
  try {
    fs.writeFileSync(fd, `${JSON.stringify({ version: VERSION, keys }, null, 2)}\n`);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(temporary, file);
  const directory = fs.openSync(path.dirname(file), "r");
  fs.fsyncSync(directory);
  fs.closeSync(directory);
}

/** Tells in a time that says nothing about the digest whether a text is a key's. */
export function isTextOf(text: string, key: Key | undefined): boolean {
  const expected = key === undefined ? Buffer.alloc(32) : Buffer.from(key.sha256, "hex");
  return timingSafeEqual(digestOf(text), expected) && key !== undefined;
}

/** Reads the id in a key's text; `null` for what is no key. */
export function idInText(text: string): string | null {
  return TOKEN.exec(text)?.[1] ?? null;
}

/** What may be shown of a key. */
export function publicKey({ sha256: _, ...key }: Key): PublicKey {
  return key;
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function base32(length: number): string {
  return Array.from(randomBytes(length), (byte) => BASE32[byte & 31]).join("");
}
