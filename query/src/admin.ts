import { type NewKey, type PublicKey, SCOPES } from "@agent-audit/access";
import type { Hold } from "@agent-audit/store";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { BadRequestError } from "./query-error.js";
import type { PlannedSegment, RetentionPlan } from "./retention.js";

/** What an operator can do to a running server. `caller` says who asks: an id of a key, or a word for none. */
export interface Administration {
  /** Says which data directory the server holds. */
  readonly storeId: string;
  listKeys(): PublicKey[];
  /** Makes a key; `text` is what its owner sends, and cannot be had again. */
  createKey(wanted: NewKey, caller: string): Promise<{ key: PublicKey; text: string }>;
  revokeKey(id: string, caller: string): Promise<PublicKey>;
  /** Says what {@link runRetention} would do. */
  planRetention(): Promise<RetentionPlan>;
  /** Drops what is old enough and not held. @throws AuditError `no_retention` */
  runRetention(caller: string): Promise<PlannedSegment[]>;
  listHolds(): Promise<Hold[]>;
  /** @param query parameters of `/events` that filter */
  addHold(query: string, note: string, caller: string): Promise<Hold>;
  removeHold(id: string, caller: string): Promise<void>;
}

const newKey = z.strictObject({
  scope: z.enum(SCOPES),
  org: z.string().optional(),
  project: z.string().optional(),
  agent: z.string().optional(),
  max_bytes_per_second: z.int().min(1).optional(),
});

const newHold = z.strictObject({
  query: z.string().max(10_000),
  note: z.string().max(1_000).default(""),
});

/** `keyId` is the caller's; `null` for one that needs none. */
type Env = { Variables: { keyId: string | null } };

/** Makes the routes under `/api/v1/admin`. */
export function adminRoutes(administration: Administration): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const type = c.req.header("content-type") ?? "";
    // A page can send any other type without asking first.
    if (c.req.method === "POST" && !/^application\/json\b/i.test(type)) {
      throw new BadRequestError(
        "invalid_content_type",
        "the body must be application/json",
        "send Content-Type: application/json",
      );
    }
    await next();
  });
  app.get("/store", (c) => c.json({ store_id: administration.storeId }));
  app.get("/keys", (c) => c.json({ keys: administration.listKeys() }));
  app.post("/keys", async (c) => {
    const wanted = await bodyOf(c.req.raw, newKey);
    return c.json(await administration.createKey(wanted, callerOf(c)), 201);
  });
  app.delete("/keys/:id", async (c) =>
    c.json({ key: await administration.revokeKey(c.req.param("id"), callerOf(c)) }),
  );
  app.get("/retention", async (c) => c.json(await administration.planRetention()));
  app.post("/retention/run", async (c) =>
    c.json({ dropped: await administration.runRetention(callerOf(c)) }),
  );
  app.get("/holds", async (c) => c.json({ holds: await administration.listHolds() }));
  app.post("/holds", async (c) => {
    const { query, note } = await bodyOf(c.req.raw, newHold);
    return c.json({ hold: await administration.addHold(query, note, callerOf(c)) }, 201);
  });
  app.delete("/holds/:id", async (c) => {
    await administration.removeHold(c.req.param("id"), callerOf(c));
    return c.json({});
  });
  return app;
}

function callerOf(c: Context<Env>): string {
  return c.get("keyId") ?? "local";
}

async function bodyOf<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  const body = await request.json().catch(() => null);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new BadRequestError("invalid_body", faults.join("; "), "send a JSON object as documented");
}
