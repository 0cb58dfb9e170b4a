import { ENVELOPE_FIELDS, type EnvelopeField } from "@agent-audit/schema";
import type { ColumnName } from "@agent-audit/store";

/** Says in which column an attribute lies that has one as it is; a price is stored in billionths instead. */
export const ATTRIBUTE_COLUMNS = columnsOf(() => true);

/** Those of them that people see in `metadata`. */
export const METADATA_COLUMNS = columnsOf(({ isMetadata }) => isMetadata);

function columnsOf(isWanted: (field: EnvelopeField) => boolean): ReadonlyMap<string, ColumnName> {
  return new Map(
    ENVELOPE_FIELDS.filter((field) => field.field !== "costAmount" && isWanted(field)).map(
      ({ attribute, field }) => [attribute, snakeCase(field) as ColumnName],
    ),
  );
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
