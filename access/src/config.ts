import type { AuditError } from "@agent-audit/schema";
import { z } from "zod";
import { parseListenAddress } from "./listen-address.js";

/** A `HOST:PORT` of the configuration; see {@link parseListenAddress}. */
const listenAddressText = z.string().superRefine((text, { addIssue }) => {
  try {
    parseListenAddress(text);
  } catch (error) {
    const { message, hint } = error as AuditError;
    addIssue(`${message}; ${hint}`);
  }
});

/** What every listener can be told. */
export const listenerConfig = (address: string, maxConnections: number) => ({
  /** `HOST:PORT` */
  listen: listenAddressText.default(address),
  tls: z
    .strictObject({
      /** PEM: the certificate, then its issuers. */
      cert_file: z.string().min(1),
      /** PEM */
      key_file: z.string().min(1),
      /** PEM: whoever comes needs a certificate of one of these issuers. */
      client_ca_file: z.string().min(1).optional(),
    })
    .optional(),
  /** Whether a proxy in front speaks TLS, so that the listener need not, beyond loopback too. */
  behind_tls_proxy: z.boolean().default(false),
  /** Connections at once; further ones are closed. */
  max_connections: z.int().min(1).default(maxConnections),
});

export type TlsConfig = NonNullable<z.infer<z.ZodObject<ReturnType<typeof listenerConfig>>>["tls"]>;
