import type { AuditError } from "@agent-audit/schema";
import { z } from "zod";
import { parseListenAddress } from "./listen-address.js";

/** A `HOST:PORT` of the configuration; see {@link parseListenAddress}. */
export const listenAddressText = z.string().superRefine((text, { addIssue }) => {
  try {
    parseListenAddress(text);
  } catch (error) {
    const { message, hint } = error as AuditError;
    addIssue(`${message}; ${hint}`);
  }
});
