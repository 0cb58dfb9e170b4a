import type { Server } from "node:http";
import { type ListenAddress, listen, urlOf } from "@agent-audit/access";
import { createAdaptorServer } from "@hono/node-server";
import { type QueryAppOptions, queryApp } from "./app.js";

/** Serves the query API on a port of its own. */
export class QueryServer {
  readonly #server: Server;

  private constructor(options: QueryAppOptions) {
    this.#server = createAdaptorServer({ fetch: queryApp(options).fetch }) as Server;
  }

  /** Opens the port. @throws AuditError `port_in_use`, `listen_failed` */
  static async listen(options: QueryAppOptions & { address: ListenAddress }): Promise<QueryServer> {
    const server = new QueryServer(options);
    await listen(server.#server, options.address, "--http HOST:PORT");
    return server;
  }

  /** Base URL of the listener, with the port that it really has. */
  get url(): string {
    return urlOf(this.#server);
  }

  /** Closes the port; open answers are cut off. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
