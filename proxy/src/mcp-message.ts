/** A JSON-RPC message, of which nothing is known but that it is an object. */
export interface Message {
  id?: unknown;
  method?: unknown;
  params?: unknown;
  result?: unknown;
  error?: { code?: unknown; message?: unknown } | null;
}

/** Reads a line: a message or a batch. Gives `null` where it is no JSON, not even such as Python's. */
export function messagesOf(line: string): Message[] | null {
  if (line.trim() === "") return [];
  const parsed = parsedOf(line) ?? parsedOf(withNumbersAsText(line));
  if (parsed === undefined) return null;
  const list = Array.isArray(parsed) ? parsed : [parsed];
  return list.filter((item): item is Message => typeof item === "object" && item !== null);
}

function parsedOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The caller tells what becomes of it.
    return undefined;
  }
}

/** Python writes and reads `NaN` and `Infinity`, which are no JSON: what holds them is carried out all the same. */
function withNumbersAsText(line: string): string {
  let isInText = false;
  return line.replace(/\\.|"|-?Infinity|NaN/g, (token) => {
    if (token === '"') isInText = !isInText;
    else if (!isInText && !token.startsWith("\\")) return `"${token}"`;
    return token;
  });
}
