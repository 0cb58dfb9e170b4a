import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AuditError } from "@agent-audit/schema";
import type { ListenAddress } from "./listen-address.js";

/**
 * Opens the port of an HTTP server.
 *
 * @param option what the user changes to choose another address, for the hint
 * @throws AuditError `port_in_use`, `listen_failed`
 */
export async function listen(
  server: Server,
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
export function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
