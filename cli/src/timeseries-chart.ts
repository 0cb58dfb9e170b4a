import type { Bucket, TimeseriesAnswer } from "@agent-audit/query/client";
import { type Display, WHOLE } from "./display.js";
import { printable } from "./printable.js";
import { type Column, formatTable } from "./table.js";
import { costText } from "./tables.js";

const WIDEST_BAR = 60;
const BAR_IN_A_PIPE = 30;
const NARROWEST_BAR = 10;

/** One for each of the largest groups of a split, and one for all others. */
const GLYPHS = ["█", "▓", "▒", "░"];
const OTHER_GLYPH = "·";

/** A part of a bar: how many events, drawn with which character. */
type Part = [count: number, glyph: string];

/** Prints a series as bars: one a bucket, divided by the split's groups. */
export function timeseriesChart(answer: TimeseriesAnswer, display: Display = WHOLE): string {
  const { buckets } = answer;
  const names = largestGroups(buckets);
  const hasCost = buckets.some(({ cost }) => cost.length > 0);
  const columns: Column<Bucket>[] = [
    { title: "START", value: ({ start }) => startText(start, answer, display) },
    { title: "COUNT", value: ({ count }) => count, align: "right" },
    {
      title: "FAILED",
      value: ({ failure_count, error_count }) => failure_count + error_count,
      align: "right",
      color: ({ failure_count, error_count }) => (failure_count + error_count > 0 ? "red" : null),
    },
    ...(hasCost
      ? [{ title: "COST", value: ({ cost }: Bucket) => costText(cost), align: "right" as const }]
      : []),
  ];
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  const width = barWidth(columns, buckets, display);
  const bar: Column<Bucket> = {
    title: "",
    value: (bucket) => barOf(partsOf(bucket, names), width / most),
    maxWidth: width,
  };
  const chart = formatTable([...columns, bar], buckets, display);
  return names.length === 0 ? chart : `${chart}\n\n${legend(names, buckets)}`;
}

/** In a terminal the clock of the zone that was asked for, as short as the interval allows. */
function startText(start: string, { tz, interval }: TimeseriesAnswer, display: Display): string {
  if (display.width === null) return start;
  const isDays = interval === "day" || interval === "week";
  const local = new Intl.DateTimeFormat("sv-SE", {
    timeZone: tz,
    dateStyle: "short",
    ...(isDays ? {} : { timeStyle: "short" }),
  });
  return local.format(new Date(start));
}

function barWidth(
  columns: readonly Column<Bucket>[],
  buckets: readonly Bucket[],
  display: Display,
): number {
  if (display.width === null) return BAR_IN_A_PIPE;
  const used = formatTable(columns, buckets).split("\n")[1]?.length ?? 0;
  return Math.min(WIDEST_BAR, Math.max(NARROWEST_BAR, display.width - used - 2));
}

/** Names the groups that have a character of their own, the largest first. */
function largestGroups(buckets: readonly Bucket[]): string[] {
  const totals = new Map<string, number>();
  for (const { groups = [] } of buckets) {
    for (const { key, count } of groups) {
      totals.set(nameOf(key), (totals.get(nameOf(key)) ?? 0) + count);
    }
  }
  const sorted = [...totals].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, GLYPHS.length).map(([name]) => name);
}

function nameOf(key: Record<string, string | number | null>): string {
  return String(Object.values(key)[0] ?? "-");
}

function partsOf({ count, groups = [] }: Bucket, names: readonly string[]): Part[] {
  if (names.length === 0) return [[count, GLYPHS[0] as string]];
  const named = names.map((name, i): Part => {
    const group = groups.find(({ key }) => nameOf(key) === name);
    return [group?.count ?? 0, GLYPHS[i] as string];
  });
  const rest = count - named.reduce((sum, [part]) => sum + part, 0);
  return [...named, [rest, OTHER_GLYPH]];
}

/** Rounds where parts end, not how long they are, so that a bar is as long as its whole; one event can be seen. */
function barOf(parts: readonly Part[], scale: number): string {
  let bar = "";
  let sum = 0;
  for (const [count, glyph] of parts) {
    sum += count;
    bar = bar.padEnd(sum === 0 ? 0 : Math.max(1, Math.round(sum * scale)), glyph);
  }
  return bar;
}

function legend(names: readonly string[], buckets: readonly Bucket[]): string {
  const parts = names.map((name, i) => `${GLYPHS[i]} ${printable(name)}`);
  const hasOther = buckets.some((bucket) => (partsOf(bucket, names).at(-1)?.[0] ?? 0) > 0);
  return [...parts, ...(hasOther ? [`${OTHER_GLYPH} other`] : [])].join("  ");
}
