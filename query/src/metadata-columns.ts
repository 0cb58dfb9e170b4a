import { ENVELOPE_FIELDS } from "@agent-audit/schema";
import type { ColumnName } from "@agent-audit/store";

/** Says in which column an attribute lies that people see in `metadata`; a price is stored in billionths instead. */
export const METADATA_COLUMNS: ReadonlyMap<string, ColumnName> = new Map(
  ENVELOPE_FIELDS.filter(({ isMetadata, field }) => isMetadata && field !== "costAmount").map(
    ({ attribute, field }) => [attribute, snakeCase(field) as ColumnName],
  ),
);

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
