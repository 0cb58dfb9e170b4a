import {
  type HttpServer,
  type ListenerOptions,
  listen,
  makeHttpServer,
  urlOf,
} from "@agent-audit/access";
import { type QueryAppOptions, queryApp } from "./app.js";

/** Of a request's head: a filter has room for some values of the longest kind. Node's default is 16 KiB. */
const MAX_HEADER_BYTES = 128 * 1024;

export interface QueryServerOptions extends QueryAppOptions, ListenerOptions {}

/** Serves the query API on a port of its own. */
export class QueryServer {
  readonly #server: HttpServer;

  private constructor(options: QueryServerOptions) {
    const onError = (error: unknown) => options.onError?.(error, "tls");
    this.#server = makeHttpServer(
      queryApp(options).fetch,
      options,
      { maxHeaderSize: MAX_HEADER_BYTES },
      onError,
    );
  }

  /** Opens the port. @throws AuditError `port_in_use`, `listen_failed` */
  static async listen(options: QueryServerOptions): Promise<QueryServer> {
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
