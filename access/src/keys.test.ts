import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { authenticate } from "./authenticate.js";
import { KeyRing } from "./key-ring.js";
import { addKey, keyFile, makeKey, readKeys, revokeKey, type Scope } from "./keys.js";
import { RateLimits } from "./rate-limits.js";

const NOW = new Date("2026-11-25T10:00:00Z");

const createKey = (file: string, wanted: Parameters<typeof makeKey>[0], now: Date) => {
  const made = makeKey(wanted, now);
  addKey(file, made.key);
  return made;
};

function ringWith(...scopes: Scope[]) {
  const file = keyFile(temporaryDirectory());
  const texts = scopes.map((scope) => createKey(file, { scope }, NOW).text);
  return { file, texts, ring: new KeyRing(file) };
}

const ask = (ring: KeyRing, authorization?: string, host = "127.0.0.1") => {
  const access = authenticate(ring.current(), { host, authorization }, ["ingest"], true);
  return access.isGranted ? (access.key?.id ?? "anybody") : access.httpStatus;
};

describe("keys", () => {
  it("are kept as digests, in a file for its owner alone", () => {
    const { file, texts } = ringWith("ingest");
    const kept = fs.readFileSync(file, "utf8");
    expect(kept).not.toContain((texts[0] as string).slice(-32));
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(readKeys(file)).toMatchObject([
      { scope: "ingest", org: null, created_time: "2026-11-25T10:00:00.000Z", revoked_time: null },
    ]);
  });

  it("let in who has one of the right scope, wherever the caller is", () => {
    const { ring, texts } = ringWith("ingest", "read", "admin");
    const [ingest, read, admin] = texts as [string, string, string];
    expect(ask(ring, `Bearer ${ingest}`, "audit.example")).toMatch(/^[a-z2-7]{10}$/);
    expect(ask(ring, `bearer  ${ingest} `)).toMatch(/^[a-z2-7]{10}$/);
    expect(ask(ring, `Bearer ${read}`)).toBe(403);
    expect(ask(ring, `Bearer ${admin}`)).toBe(403);
    const changed = `${ingest.slice(0, -1)}${ingest.endsWith("a") ? "b" : "a"}`;
    for (const wrong of [
      undefined,
      "",
      "Bearer",
      `Basic ${ingest}`,
      ingest,
      `Bearer ${changed}`,
      "Bearer aak_aaaaaaaaaa_x",
      `Bearer ${ingest} ${ingest}`,
    ]) {
      expect(ask(ring, wrong), wrong).toBe(401);
    }
  });

  it("are needed by nobody while there are none, except by callers from elsewhere", () => {
    const { ring, file } = ringWith();
    expect(ask(ring)).toBe("anybody");
    expect(ask(ring, undefined, "evil.example")).toBe(403);
    createKey(file, { scope: "read" }, NOW);
    expect(ask(ring)).toBe(401);
  });

  it("are needed in any case where callers may come from elsewhere", () => {
    const { ring } = ringWith();
    const access = authenticate(ring.current(), { host: "127.0.0.1" }, ["read"], false);
    expect(access).toMatchObject({ isGranted: false, httpStatus: 401 });
  });

  it("count at once when they are made, and no longer when they are revoked", () => {
    const { ring, file, texts } = ringWith("ingest");
    const second = createKey(file, { scope: "ingest" }, NOW);
    expect(ask(ring, `Bearer ${second.text}`)).toBe(second.key.id);
    revokeKey(file, second.key.id, NOW);
    expect(ask(ring, `Bearer ${second.text}`)).toBe(401);
    expect(ask(ring, `Bearer ${texts[0]}`)).toMatch(/^[a-z2-7]{10}$/);
  });

  it.each([
    ["gone", (file: string) => fs.rmSync(file)],
    ["broken", (file: string) => fs.writeFileSync(file, "{")],
    ["of another version", (file: string) => fs.writeFileSync(file, '{"version":2,"keys":[]}')],
    ["all revoked", (file: string) => revokeKey(file, readKeys(file)[0]?.id as string, NOW)],
  ])("let nobody in, and lose nothing, when they are %s", (_, damage) => {
    const { ring, file, texts } = ringWith("ingest");
    const before = fs.readFileSync(file);
    damage(file);
    expect(ask(ring)).toBe(503);
    expect(ask(ring, `Bearer ${texts[0]}`)).toBe(503);
    expect(ring.current()).toMatchObject({ isNeeded: true, hasAdmin: true });
    fs.rmSync(file, { force: true });
    expect(ask(ring)).toBe(503);
    fs.writeFileSync(file, before);
    expect(ask(ring, `Bearer ${texts[0]}`)).toMatch(/^[a-z2-7]{10}$/);
  });

  it.each([
    [{ scope: "write" as Scope }, /scope/],
    [{ scope: "read" as const, org: "" }, /org/],
    [{ scope: "read" as const, agent: "é".repeat(128) }, /agent: has more than 255 bytes/],
    [{ scope: "read" as const, max_bytes_per_second: 0 }, /max_bytes_per_second/],
    [{ scope: "admin" as const, org: "acme" }, /an admin key cannot be bound/],
  ])("cannot be %j", (wanted, message) => {
    expect(() => createKey(keyFile(temporaryDirectory()), wanted, NOW)).toThrow(message);
  });

  it("cannot be revoked when there is no such key", () => {
    const { file } = ringWith("read");
    expect(() => revokeKey(file, "aaaaaaaaaa", NOW)).toThrow(/there is no key aaaaaaaaaa/);
  });
});

describe("RateLimits", () => {
  it("lets a key be a second ahead, and one body beyond", () => {
    let now = 0;
    const limits = new RateLimits(() => now);
    limits.count("a", 100, 60);
    expect(limits.hasRoom("a", 100)).toBe(true);
    limits.count("a", 100, 240);
    expect(limits.hasRoom("a", 100)).toBe(false);
    expect(limits.hasRoom("b", 100)).toBe(true);
    now = 2000;
    expect(limits.hasRoom("a", 100)).toBe(false);
    now = 2010;
    expect(limits.hasRoom("a", 100)).toBe(true);
    now = 60_000;
    limits.count("a", 100, 100);
    expect(limits.hasRoom("a", 100)).toBe(false);
  });
});
