import { printable } from "./printable.js";

/** A line on a terminal. */
const MAX_LENGTH = 200;
/** How the exporter's warning begins when a server took a request, but not all that is in it. */
const PARTIAL_SUCCESS = "Received Partial Success response:";

/** Gives an exporter's error, which is the JSON of a whole stack, as one line. */
export function troubleOfError(message: string): string {
  return brief(String(parsed(message)?.message ?? message));
}

/** Gives what a server refused, where that is what an exporter warns of. */
export function troubleOfWarning(message: string, detail: unknown): string | null {
  if (message !== PARTIAL_SUCCESS) return null;
  const { rejectedLogRecords = 0, errorMessage = "" } = parsed(String(detail)) ?? {};
  if (Number(rejectedLogRecords) === 0) return null;
  return brief(`the server refused ${rejectedLogRecords}: ${errorMessage}`);
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text);
  } catch {
    // Not every error comes as JSON: the text itself will do.
    return null;
  }
}

function brief(text: string): string {
  return printable(text.slice(0, MAX_LENGTH));
}
