import { X509Certificate } from "node:crypto";
import fs from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { AuditError } from "@agent-audit/schema";
import type { TlsConfig } from "./config.js";

/** Reads certificates as a listener would. @throws AuditError `tls_unusable` */
export function checkTls(tls: TlsConfig): void {
  readTls(tls);
}

/** Reads what a listener needs to speak TLS, and tries it. @throws AuditError `tls_unusable` */
export function readTls({ cert_file, key_file, client_ca_file }: TlsConfig) {
  const clients =
    client_ca_file === undefined
      ? {}
      : { ca: readIssuers(client_ca_file), requestCert: true, rejectUnauthorized: true };
  const context = {
    cert: read(cert_file),
    key: read(key_file),
    minVersion: "TLSv1.2",
    ...clients,
  } satisfies SecureContextOptions;
  try {
    createSecureContext(context);
  } catch (cause) {
    throw unusable(`${cert_file} and its key cannot be used`, cause);
  }
  return context;
}

/** Reads issuers of client certificates: TLS takes none for an answer, and then lets nobody in. */
function readIssuers(file: string): Buffer {
  const bytes = read(file);
  const certificates = bytes
    .toString("latin1")
    .split(/(?=-----BEGIN)/)
    .filter((block) => /^-----BEGIN (?:X509 )?CERTIFICATE-----/.test(block));
  if (certificates.length === 0) throw unusable(`${file} holds no certificate`);
  certificates.forEach((pem, index) => {
    try {
      new X509Certificate(pem);
    } catch (cause) {
      throw unusable(`certificate ${index + 1} of ${file} cannot be used`, cause);
    }
  });
  return bytes;
}

function read(file: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (cause) {
    throw unusable(`${file} cannot be read`, cause);
  }
}

function unusable(message: string, cause?: unknown): AuditError {
  const reason = cause === undefined ? "" : `: ${(cause as Error).message}`;
  return new AuditError("tls_unusable", `${message}${reason}`, "correct tls in the configuration", {
    cause,
  });
}
