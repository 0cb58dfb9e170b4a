import {
  authenticate,
  authenticateLocal,
  type Key,
  type KeyRing,
  WWW_AUTHENTICATE,
} from "@agent-audit/access";
import { AuditError } from "@agent-audit/schema";
import {
  EVERYTHING,
  isLimited,
  type ReadScope,
  type Snapshot,
  type Store,
  type TimeRange,
} from "@agent-audit/store";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { type Administration, adminRoutes } from "./admin.js";
import { aggregate, parseAggregateRequest } from "./aggregate.js";
import { findEvent } from "./event-by-id.js";
import { findEvents, parseEventsRequest } from "./events.js";
import { Exports, parseExportRequest } from "./export.js";
import { facets, parseFacetsRequest } from "./facets.js";
import { Parameters } from "./parse-filter.js";
import { parseQuarantineRequest, quarantineEntry, quarantinePage } from "./quarantine.js";
import { BadRequestError, statusOf } from "./query-error.js";
import type { Filter } from "./request.js";
import { statusJson } from "./status.js";
import { parseTimeseriesRequest, timeseries } from "./timeseries.js";

type Env = { Bindings: HttpBindings; Variables: { scope: ReadScope; keyId: string | null } };

/** How long the queries of one request may take, their waiting for a place included. */
const QUERY_TIMEOUT_MILLIS = 10_000;

/** How long `min_seq=` waits at most. */
const APPLY_WAIT_MILLIS = 10_000;

const ALL_TIMES: TimeRange = { fromNano: null, toNano: null };

const ADMIN_PATH = "/api/v1/admin";

/** A proxy that nobody told the server of gives itself away by these. */
const PROXY_HEADERS = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host"];

/** Prometheus' text format. */
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const INDEX = {
  name: "Agent Audit",
  endpoints: {
    events: "/api/v1/events?limit=50&order=desc",
    event: "/api/v1/events/{id}",
    aggregate: "/api/v1/aggregate?by=source&by=result",
    facets: "/api/v1/facets",
    timeseries: "/api/v1/timeseries?interval=hour&by=source",
    export: "/api/v1/export?format=otlp&after_seq=0",
    quarantine: "/api/v1/quarantine?limit=50",
    status: "/api/v1/status",
    metrics: "/metrics",
    health: ["/healthz", "/readyz"],
  },
};

export interface QueryAppOptions {
  version: string;
  store: Store;
  keys: KeyRing;
  /** Whether a caller without a key may administer while no admin key exists: only where callers must be on this machine. */
  trustsLoopback: boolean;
  /** What `/api/v1/admin` does; without it there is none. */
  administration?: Administration;
  /** Whether the engine has caught up; until then there are no answers about events. */
  isCaughtUp: () => boolean;
  /** Gives the text of `GET /metrics`; without it there is none. */
  metrics?: () => Promise<string>;
  now?: () => bigint;
  /** How long the queries of one request may take; default 10 s. */
  queryTimeoutMillis?: number | undefined;
  /** After which an export is cut off whose reader takes nothing; default 5 min. */
  exportStallMillis?: number | undefined;
  /** Told of every fault of ours: without event content. */
  onError?: (error: unknown, path: string) => void;
}

/** Makes the query API's routes. */
export function queryApp(options: QueryAppOptions): Hono<Env> {
  const now = options.now ?? (() => BigInt(Date.now()) * 1_000_000n);
  const app = new Hono<Env>();

  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", (c) =>
    options.isCaughtUp() ? c.text("ok\n") : c.text("the engine is catching up\n", 503),
  );
  app.use(async (c, next) => {
    const isAdmin = c.req.path.startsWith(ADMIN_PATH);
    const { trustsLoopback } = options;
    const keys = options.keys.current();
    const { headers } = c.env.incoming;
    const isProxied = PROXY_HEADERS.some((name) => headers[name] !== undefined);
    const isOpen = isAdmin && trustsLoopback && !isProxied && !keys.hasAdmin;
    const access = isOpen
      ? authenticateLocal(headers)
      : authenticate(keys, headers, isAdmin ? ["admin"] : ["read", "admin"], trustsLoopback);
    if (!access.isGranted) {
      const { httpStatus, code, reason, hint } = access;
      // A connection is kept for those who have a key.
      const header: Record<string, string> = { Connection: "close" };
      if (httpStatus === 401) header["WWW-Authenticate"] = WWW_AUTHENTICATE;
      if (httpStatus === 503) header["Retry-After"] = "2";
      return c.json(errorBody(code, reason, hint), httpStatus, header);
    }
    c.set("scope", scopeOf(access.key));
    c.set("keyId", access.key?.id ?? null);
    await next();
    return undefined;
  });
  app.get("/", (c) => c.json({ ...INDEX, version: options.version }));

  const { metrics, administration } = options;
  if (metrics !== undefined) {
    app.get("/metrics", async (c) => {
      refuseLimited(c);
      return c.body(await metrics(), 200, { "Content-Type": METRICS_TYPE });
    });
  }
  if (administration !== undefined) app.route(ADMIN_PATH, adminRoutes(administration));

  const answer = <T extends { filter: Filter }>(
    parse: (parameters: Parameters, search: URLSearchParams) => T,
    known: readonly string[],
    find: (snapshot: Snapshot, request: T) => Promise<object>,
  ) => {
    return async (c: Context<Env>) => {
      const search = new URL(c.req.url).searchParams;
      const parameters = new Parameters(search, c.get("scope"));
      const minSeq = parameters.integer("min_seq", 0, Number.MAX_SAFE_INTEGER, 0);
      const request = parse(parameters, search);
      parameters.end(known);
      return c.json(
        await withSnapshot(options, c, BigInt(minSeq), timesOf(request.filter), (snapshot) =>
          find(snapshot, request),
        ),
      );
    };
  };

  app.get(
    "/api/v1/events",
    answer(
      (parameters, search) => parseEventsRequest(parameters, search, options.store.storeId, now()),
      ["limit", "order", "cursor", "after_seq", "fields"],
      findEvents,
    ),
  );
  app.get("/api/v1/events/:id{.+}", async (c) => {
    parametersOf(c).end([]);
    const text = await withSnapshot(options, c, 0n, ALL_TIMES, (snapshot) =>
      findEvent(options.store, snapshot, c.get("scope"), c.req.param("id")),
    );
    return c.body(text, 200, { "Content-Type": "application/json" });
  });
  app.get(
    "/api/v1/aggregate",
    answer(
      (parameters) => parseAggregateRequest(parameters, now()),
      ["by", "limit", "order_by"],
      aggregate,
    ),
  );
  app.get(
    "/api/v1/facets",
    answer((parameters) => parseFacetsRequest(parameters, now()), ["limit"], facets),
  );
  app.get(
    "/api/v1/timeseries",
    answer(
      (parameters) => parseTimeseriesRequest(parameters, now()),
      ["interval", "by", "tz", "limit"],
      timeseries,
    ),
  );
  app.get("/api/v1/status", async (c) => {
    parametersOf(c).end([]);
    refuseLimited(c);
    return c.json(await statusJson(options.store, options.version));
  });

  app.get("/api/v1/quarantine", async (c) => {
    const request = parseQuarantineRequest(parametersOf(c));
    return c.json(await quarantinePage(options.store, request));
  });
  app.get("/api/v1/quarantine/:id", async (c) => {
    parametersOf(c).end([]);
    return c.json(await quarantineEntry(options.store, c.req.param("id"), c.get("scope")));
  });

  const runningExports = new Exports(options.exportStallMillis);
  app.get("/api/v1/export", (c) => {
    const request = parseExportRequest(parametersOf(c));
    const store = storeOf(options);
    const keyId = c.get("keyId");
    const uptoSeq = store.position.syncedSeq;
    const terms = {
      uptoSeq,
      mayGoOn: () => keyId === null || options.keys.current().isUsable(keyId),
      onFault: (error: unknown) => options.onError?.(error, c.req.path),
    };
    const stream = runningExports.begin(store, request, terms, c.env.outgoing);
    return c.body(stream, 200, {
      "Content-Type": "application/x-ndjson",
      "Agent-Audit-Seq": String(uptoSeq),
    });
  });

  app.notFound((c) =>
    c.json(errorBody("not_found", `nothing is at ${c.req.path}`, "GET / lists the endpoints"), 404),
  );
  app.onError((error, c) => {
    const status = statusOf(error);
    if (status === null || !(error instanceof AuditError)) {
      options.onError?.(error, c.req.path);
      return c.json(errorBody("internal", "the server failed", "see the server's log"), 500);
    }
    const headers: Record<string, string> =
      status === 503 || status === 429 ? { "Retry-After": "2" } : {};
    return c.json(errorBody(error.code, error.message, error.hint), status, headers);
  });
  return app;
}

function parametersOf(c: Context<Env>): Parameters {
  return new Parameters(new URL(c.req.url).searchParams, c.get("scope"));
}

function scopeOf(key: Key | null): ReadScope {
  if (key === null) return EVERYTHING;
  return { orgId: key.org, projectId: key.project, agentId: key.agent };
}

/** The state of the whole server is nobody's in particular. @throws AuditError `wrong_scope` */
function refuseLimited(c: Context<Env>): void {
  if (!isLimited(c.get("scope"))) return;
  throw new AuditError(
    "wrong_scope",
    "the key is bound to an organisation, project or agent; this tells about all of them",
    "use a read or admin key that is bound to nothing",
  );
}

/** The end of an action may lie outside of the times that are asked for. */
function timesOf(filter: Filter): TimeRange {
  return filter.isUnfinished ? ALL_TIMES : filter;
}

async function withSnapshot<T>(
  options: QueryAppOptions,
  c: Context<Env>,
  minSeq: bigint,
  range: TimeRange,
  use: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const store = storeOf(options);
  if (minSeq > store.position.syncedSeq) {
    throw new BadRequestError(
      "invalid_min_seq",
      `min_seq=${minSeq} was never acknowledged; the journal ends at ${store.position.syncedSeq}`,
      "use the Agent-Audit-Seq of an OTLP answer of this server",
    );
  }
  if (!(await store.waitForApplied(minSeq, APPLY_WAIT_MILLIS))) {
    throw new AuditError(
      "not_applied",
      `sequence ${minSeq} is not visible yet`,
      "ask again; /api/v1/status shows how far the engine is",
    );
  }
  const { queryTimeoutMillis: timeoutMillis = QUERY_TIMEOUT_MILLIS } = options;
  const snapshot = await store.snapshot(range, { timeoutMillis, signal: goneSignal(c) });
  try {
    return await use(snapshot);
  } finally {
    snapshot.release();
  }
}

/** Is aborted when the caller closes the connection before the answer. */
function goneSignal(c: Context<Env>): AbortSignal {
  const gone = new AbortController();
  const { outgoing } = c.env;
  if (outgoing.destroyed) gone.abort();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  return gone.signal;
}

function storeOf({ store, isCaughtUp }: QueryAppOptions): Store {
  if (isCaughtUp()) return store;
  throw new AuditError("starting", "the engine is catching up with the journal", "ask again soon");
}

function errorBody(code: string, message: string, hint: string) {
  return { error: { code, message, hint } };
}
