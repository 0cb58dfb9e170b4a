import type {
  AggregateAnswer,
  EventJson,
  FacetsAnswer,
  TimeseriesAnswer,
} from "@agent-audit/query/client";
import { type Column, formatTable } from "./table.js";

const BAR_WIDTH = 30;

/** Prints events, one a line. */
export function eventsTable(events: readonly EventJson[]): string {
  const columns: Column<EventJson>[] = [
    { title: "TIME", value: ({ time }) => new Date(time as string).toISOString().slice(0, 23) },
    { title: "SOURCE", value: ({ source }) => source as string | null },
    { title: "RESULT", value: ({ result }) => result as string | null },
    { title: "ERROR", value: ({ error_type }) => error_type as string | null, maxWidth: 12 },
    {
      title: "MS",
      value: ({ duration_ms }) => rounded(duration_ms as number | null),
      align: "right",
    },
    {
      title: "DESCRIPTION",
      value: (event) => (event.description ?? event.action ?? event.event_name) as string | null,
      maxWidth: 100,
    },
  ];
  return formatTable(columns, events);
}

/** Prints groups with their counts, durations, tokens and costs. */
export function aggregateTable({ groups, other, total }: AggregateAnswer): string {
  type Row = Omit<AggregateAnswer["groups"][number], "key"> & { name: string };
  const rows: Row[] = [
    ...groups.map(({ key, ...rest }) => ({
      ...rest,
      name: Object.values(key)
        .map((v) => v ?? "-")
        .join(" / "),
    })),
    ...(other === null ? [] : [{ ...other, name: "(other)" }]),
    { ...total, name: "(total)" },
  ];
  const title = Object.keys(groups[0]?.key ?? { group: null })
    .join(" / ")
    .toUpperCase();
  return formatTable<Row>(
    [
      { title, value: ({ name }) => name },
      { title: "COUNT", value: ({ count }) => count, align: "right" },
      { title: "FAILED", value: (row) => row.failure_count + row.error_count, align: "right" },
      { title: "P50 MS", value: ({ duration_ms }) => rounded(duration_ms.p50), align: "right" },
      { title: "P95 MS", value: ({ duration_ms }) => rounded(duration_ms.p95), align: "right" },
      { title: "TOKENS", value: (row) => row.input_tokens + row.output_tokens, align: "right" },
      { title: "COST", value: ({ cost }) => costText(cost), align: "right" },
    ],
    rows,
  );
}

/** Prints the breakdowns below each other. */
export function facetsTable({ facets }: FacetsAnswer): string {
  return Object.entries(facets)
    .map(([name, values]) =>
      formatTable(
        [
          { title: name.toUpperCase(), value: ({ value }) => value },
          { title: "COUNT", value: ({ count }) => count, align: "right" },
        ],
        values,
      ),
    )
    .join("\n\n");
}

/** Prints a series as bars. */
export function timeseriesChart({ buckets }: TimeseriesAnswer): string {
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  return formatTable(
    [
      { title: "START", value: ({ start }) => start },
      { title: "COUNT", value: ({ count }) => count, align: "right" },
      {
        title: "FAILED",
        value: (bucket) => bucket.failure_count + bucket.error_count,
        align: "right",
      },
      { title: "", value: ({ count }) => "█".repeat(Math.ceil((count / most) * BAR_WIDTH)) },
    ],
    buckets,
  );
}

function rounded(millis: number | null): string | null {
  return millis === null ? null : millis.toFixed(millis < 10 ? 1 : 0);
}

function costText(costs: AggregateAnswer["total"]["cost"]): string | null {
  const priced = costs.filter(({ amount }) => amount !== null);
  if (priced.length === 0) return null;
  return priced
    .map(({ amount, currency }) => `${amount?.toFixed(4)} ${currency ?? ""}`.trim())
    .join(", ");
}
