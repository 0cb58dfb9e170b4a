import type { AggregateAnswer, EventJson, FacetsAnswer } from "@agent-audit/query/client";
import { type Color, type Display, WHOLE } from "./display.js";
import { type Column, formatTable } from "./table.js";

/** Prints events, one a line. */
export function eventsTable(events: readonly EventJson[], display: Display = WHOLE): string {
  const columns: Column<EventJson>[] = [
    { title: "TIME", value: ({ time }) => new Date(time as string).toISOString().slice(0, 23) },
    { title: "SOURCE", value: ({ source }) => source as string | null },
    {
      title: "RESULT",
      value: ({ result }) => result as string | null,
      color: ({ result }) => resultColor(result),
    },
    { title: "ERROR", value: ({ error_type }) => error_type as string | null, maxWidth: 12 },
    {
      title: "MS",
      value: ({ duration_ms }) => rounded(duration_ms as number | null),
      align: "right",
    },
    {
      title: "DESCRIPTION",
      value: (event) => (event.description ?? event.action ?? event.event_name) as string | null,
      maxWidth: Number.POSITIVE_INFINITY,
    },
  ];
  return formatTable(columns, events, display);
}

function resultColor(result: unknown): Color | null {
  if (result === "error") return "red";
  return result === "failure" ? "yellow" : null;
}

/** Prints groups with their counts, durations, tokens and costs. */
export function aggregateTable(
  { groups, other, total }: AggregateAnswer,
  display: Display = WHOLE,
): string {
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
    display,
  );
}

/** Prints the breakdowns below each other. */
export function facetsTable({ facets }: FacetsAnswer, display: Display = WHOLE): string {
  return Object.entries(facets)
    .map(([name, values]) =>
      formatTable(
        [
          { title: name.toUpperCase(), value: ({ value }) => value },
          { title: "COUNT", value: ({ count }) => count, align: "right" },
        ],
        values,
        display,
      ),
    )
    .join("\n\n");
}

function rounded(millis: number | null): string | null {
  return millis === null ? null : millis.toFixed(millis < 10 ? 1 : 0);
}

/** Says what is known, and of how many calls nothing is: unknown prices are no zeros. */
export function costText(costs: AggregateAnswer["total"]["cost"]): string | null {
  const priced = costs.filter(({ amount }) => amount !== null);
  const unpriced = costs.reduce((sum, { unpriced_count }) => sum + unpriced_count, 0);
  const parts = priced.map(({ amount, currency }) =>
    `${Number(amount).toFixed(4)} ${currency ?? ""}`.trim(),
  );
  if (unpriced > 0) parts.push(`${unpriced} unpriced`);
  return parts.length === 0 ? null : parts.join(", ");
}
