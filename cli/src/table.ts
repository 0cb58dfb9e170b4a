/** Describes a column of a printed table. */
export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | null | undefined;
  align?: "left" | "right";
  /** Longer values are cut. */
  maxWidth?: number;
}

/** Prints rows as a table for people; control characters are shown escaped, since events hold any text. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) =>
    columns.map(({ value, maxWidth }) => cut(printable(value(row) ?? "-"), maxWidth ?? 60)),
  );
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...cells.map((row) => (row[i] as string).length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => {
        const width = widths[i] as number;
        return columns[i]?.align === "right" ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [line(titles), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join(
    "\n",
  );
}

/** Prints a list: as JSON, one object a line, or as a table, or what is said instead of an empty one. */
export function printList<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { json, empty }: { json: boolean | undefined; empty: string },
): void {
  if (json) for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
  else process.stdout.write(`${rows.length === 0 ? empty : formatTable(columns, rows)}\n`);
}

/** Escapes what could move a terminal's cursor or hide text: control, bidirectional and zero-width characters. */
export function printable(value: string | number): string {
  return String(value).replace(
    /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
