import { KeyRing, keyFile } from "@agent-audit/access";
import { QueryServer, type QueryServerOptions } from "@agent-audit/query";
import { cleanUp } from "./clean-up.js";
import { startStore } from "./start-store.js";

/** Starts a store with its query API on a free port. */
export async function startQuery(
  data: string,
  receivedAt?: () => bigint,
  isCaughtUp: () => boolean = () => true,
  options?: Parameters<typeof startStore>[2],
  limits: Pick<QueryServerOptions, "queryTimeoutMillis" | "exportStallMillis"> = {},
) {
  const started = await startStore(data, receivedAt, options);
  await started.following;
  const errors: unknown[] = [];
  const server = await QueryServer.listen({
    address: { host: "127.0.0.1", port: 0 },
    keys: new KeyRing(keyFile(data)),
    trustsLoopback: true,
    version: "0.0.0-test",
    store: started.store,
    isCaughtUp,
    ...limits,
    onError: (error) => errors.push(error),
  });
  cleanUp(() => server.close());
  const get = async (path: string) => {
    const response = await fetch(`${server.url}${path}`);
    return {
      status: response.status,
      headers: response.headers,
      // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
      body: (await response.json()) as any,
    };
  };
  /** Waits until what was appended is visible. */
  const settle = () => started.store.waitForApplied(started.store.position.syncedSeq, 20_000);
  return { ...started, server, errors, get, settle };
}
