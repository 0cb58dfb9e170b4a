import { once } from "node:events";
import fs from "node:fs";
import type http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { AuditError } from "@agent-audit/schema";
import { createAdaptorServer } from "@hono/node-server";
import type { TlsConfig } from "./config.js";
import type { ListenAddress } from "./listen-address.js";
import { readTls } from "./tls-context.js";

/** Who only connects must not keep others from it. */
const HANDSHAKE_MILLIS = 10_000;
/** Stands in URLs of requests over HTTP/1.0 that name no host, as some health probes do; headers stay as they came. */
const NO_HOST = "localhost";
/** How often certificate files are looked at. */
const RELOAD_MILLIS = 10_000;

export type HttpServer = http.Server | https.Server;

/** Where and how a listener listens. */
export interface ListenerOptions {
  address: ListenAddress;
  tls?: TlsConfig | undefined;
  /** Connections at once; further ones are closed. Default: no limit. */
  maxConnections?: number | undefined;
}

/**
 * Makes an HTTP or HTTPS server. Certificates are taken anew when their files change; new ones that cannot be used
 * are told, and the old ones stay.
 *
 * @param onError told of certificate files that cannot be used any more
 * @throws AuditError `tls_unusable`
 */
export function makeHttpServer(
  fetch: Parameters<typeof createAdaptorServer>[0]["fetch"],
  { tls, maxConnections }: Omit<ListenerOptions, "address">,
  serverOptions: http.ServerOptions = {},
  onError: (error: unknown) => void = () => {},
): HttpServer {
  const server = (
    tls === undefined
      ? createAdaptorServer({ fetch, hostname: NO_HOST, serverOptions })
      : createAdaptorServer({
          fetch,
          hostname: NO_HOST,
          createServer: https.createServer,
          serverOptions: {
            ...serverOptions,
            ...readTls(tls),
            handshakeTimeout: HANDSHAKE_MILLIS,
          },
        })
  ) as HttpServer;
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  if (tls !== undefined) reloadOnChange(server as https.Server, tls, onError);
  return server;
}

function reloadOnChange(
  server: https.Server,
  tls: TlsConfig,
  onError: (error: unknown) => void,
): void {
  const times = () =>
    Object.values(tls)
      .filter((file) => file !== undefined)
      .map((file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs)
      .join();
  let known = times();
  const timer = setInterval(() => {
    const now = times();
    if (now === known) return;
    known = now;
    try {
      server.setSecureContext(readTls(tls));
    } catch (cause) {
      const { code, message, hint } = cause as AuditError;
      onError(
        new AuditError(code, `${message}; the certificates before stay in use`, hint, { cause }),
      );
    }
  }, RELOAD_MILLIS);
  timer.unref();
  server.once("close", () => clearInterval(timer));
}

/**
 * Opens the port of an HTTP server.
 *
 * @param option what the user changes to choose another address, for the hint
 * @throws AuditError `port_in_use`, `listen_failed`
 */
export async function listen(
  server: HttpServer,
  { host, port }: ListenAddress,
  option: string,
): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new AuditError(
      isTaken ? "port_in_use" : "listen_failed",
      isTaken
        ? `${host}:${port} is in use by another process`
        : `cannot listen on ${host}:${port}: ${(cause as Error).message}`,
      `choose another address with ${option}`,
      { cause },
    );
  }
}

/** Gives the base URL of a listening server, with the port that it really has. */
export function urlOf(server: HttpServer): string {
  const { address, family, port } = server.address() as AddressInfo;
  const scheme = server instanceof https.Server ? "https" : "http";
  return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
