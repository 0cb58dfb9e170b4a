import { type Color, colored, type Display, displayOf, WHOLE } from "./display.js";

/** Describes a column of a printed table. */
export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | null | undefined;
  align?: "left" | "right";
  /** Longer values are cut where the table must fit a terminal; default 60. */
  maxWidth?: number;
  color?: (row: Row) => Color | null;
}

const MAX_WIDTH = 60;
/** What is left of the last column however narrow the terminal is. */
const MIN_LAST_WIDTH = 10;
const GAP = "  ";

/** Prints rows as a table for people; control characters are shown escaped, since events hold any text. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  display: Display = WHOLE,
): string {
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row) ?? "-")));
  const widths = fitted(
    columns.map(({ title, maxWidth = MAX_WIDTH }, i) => {
      const widest = Math.max(title.length, ...cells.map((row) => (row[i] as string).length));
      return display.width === null ? widest : Math.min(widest, Math.max(maxWidth, title.length));
    }),
    display,
  );
  const line = (texts: readonly string[], colors: readonly (Color | null)[] = []) =>
    texts
      .map((text, i) => {
        const width = widths[i] as number;
        const cell = cut(text, width);
        const isRight = columns[i]?.align === "right";
        const isLast = i === texts.length - 1;
        const padded = isRight ? cell.padStart(width) : isLast ? cell : cell.padEnd(width);
        return colored(padded, colors[i] ?? null, display);
      })
      .join(GAP)
      .trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    line(widths.map((width) => "-".repeat(width))),
    ...cells.map((texts, i) => {
      const row = rows[i] as Row;
      return line(
        texts,
        columns.map(({ color }) => color?.(row) ?? null),
      );
    }),
  ].join("\n");
}

/** Gives the last column what the terminal leaves for it. */
function fitted(widths: readonly number[], { width }: Display): number[] {
  if (width === null) return [...widths];
  const others = widths.slice(0, -1);
  const used = others.reduce((sum, other) => sum + other + GAP.length, 0);
  const last = Math.min(widths.at(-1) ?? 0, Math.max(MIN_LAST_WIDTH, width - used));
  return [...others, last];
}

/** Prints a list: as JSON, one object a line, or as a table, or what is said instead of an empty one. */
export function printList<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { json, empty }: { json: boolean | undefined; empty: string },
): void {
  if (json) for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
  else if (rows.length === 0) process.stdout.write(`${empty}\n`);
  else process.stdout.write(`${formatTable(columns, rows, displayOf())}\n`);
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
