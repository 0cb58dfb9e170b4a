/** Escapes what could move a terminal's cursor or hide text: control, bidirectional and zero-width characters. */
export function printable(value: string | number): string {
  return String(value).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}

/** Writes a value as a line of JSON whose texts are {@link printable}: it means the same. */
export function jsonLine(value: unknown): string {
  return `${printable(JSON.stringify(value))}\n`;
}
