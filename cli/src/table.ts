import { type Color, colored, type Display, displayOf, WHOLE } from "./display.js";
import { jsonLine, printable } from "./printable.js";

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
/** What is left of a column however narrow the terminal is. */
const MIN_WIDTH = 10;
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
      const isCut = display.width !== null && columns[i]?.align !== "right";
      return isCut ? Math.min(widest, Math.max(maxWidth, title.length)) : widest;
    }),
    columns,
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

/** Narrows columns of text until the terminal takes all: the last one first, then the widest. Numbers are never cut. */
function fitted(
  widths: readonly number[],
  columns: readonly Pick<Column<never>, "align">[],
  { width }: Display,
): number[] {
  const narrowed = [...widths];
  if (width === null) return narrowed;
  const texts = columns.flatMap(({ align }, i) => (align === "right" ? [] : [i]));
  const others = texts.filter((i) => i !== columns.length - 1);
  others.sort((a, b) => (widths[b] as number) - (widths[a] as number));
  const order = others.length === texts.length ? others : [columns.length - 1, ...others];
  let excess = widths.reduce((sum, column) => sum + column + GAP.length, -GAP.length) - width;
  for (const i of order) {
    const column = widths[i] as number;
    const cutOff = Math.max(0, Math.min(excess, column - MIN_WIDTH));
    narrowed[i] = column - cutOff;
    excess -= cutOff;
  }
  return narrowed;
}

/** Prints a list: as JSON, one object a line, or as a table, or what is said instead of an empty one. */
export function printList<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { json, empty }: { json: boolean | undefined; empty: string },
): void {
  if (json) for (const row of rows) process.stdout.write(jsonLine(row));
  else if (rows.length === 0) process.stdout.write(`${empty}\n`);
  else process.stdout.write(`${formatTable(columns, rows, displayOf())}\n`);
}

function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  // Half a character would be none.
  return `${text.slice(0, width - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
