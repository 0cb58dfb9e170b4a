import { ATTR_COST_AMOUNT } from "@agent-audit/schema";
import type { ColumnName, QueryRequest, ReadScope } from "@agent-audit/store";
import { FIELDS, type Field } from "./fields.js";
import type { Condition, Filter, Match } from "./filter.js";
import { METADATA_COLUMNS } from "./metadata-columns.js";

/** The only module that writes SQL from a request. Values travel as parameters, names come from a fixed table. */
export class SqlBuilder {
  readonly values: NonNullable<QueryRequest["values"]> = [];

  /** Adds a value and gives its place. */
  value(value: string | number | bigint | boolean): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  /** A UBIGINT value: of another type it would make DuckDB cast the whole column. */
  time(nanos: bigint): string {
    return `${this.value(nanos)}::UBIGINT`;
  }

  seq(seq: bigint): string {
    return `${this.value(seq)}::BIGINT`;
  }

  /** Writes tables, as a snapshot has them, as one, with the columns that are wanted, filtered. */
  from(
    { tables }: { tables: readonly string[] },
    columns: readonly string[],
    where: string,
  ): string {
    const list = columns.join(", ");
    return `(${tables
      .map((table) => `SELECT ${list} FROM ${table} WHERE ${where}`)
      .join(" UNION ALL ")})`;
  }

  /** Writes a filter as a condition, pinned to what was applied up to `maxSeq`. */
  where(filter: Filter, maxSeq: bigint): string {
    const parts = [`seq <= ${this.seq(maxSeq)}`, ...this.scope(filter.scope)];
    if (filter.fromNano !== null) parts.push(`time >= ${this.time(filter.fromNano)}`);
    if (filter.toNano !== null) parts.push(`time < ${this.time(filter.toNano)}`);
    if (!filter.includesSystem) parts.push("(source IS NULL OR source <> 'system')");
    if (filter.phase === null) parts.push("(phase IS NULL OR phase <> 'start')");
    else if (filter.phase !== "any") parts.push(`phase = ${this.value(filter.phase)}`);
    for (const condition of filter.conditions) parts.push(this.#condition(condition));
    if (filter.q !== null) parts.push(this.#contains(filter.q));
    return parts.join(" AND ");
  }

  /** Writes what a caller may see as conditions, all of which must hold. */
  scope({ orgId, projectId, agentId }: ReadScope): string[] {
    const parts: string[] = [];
    if (orgId !== null) parts.push(`org_id = ${this.value(orgId)}`);
    if (projectId !== null) parts.push(`project_id = ${this.value(projectId)}`);
    if (agentId !== null) parts.push(`${fieldExpression("agent")} = ${this.value(agentId)}`);
    return parts;
  }

  #condition({ field, isNegated, matches }: Condition): string {
    const any = matches.map((match) => this.#match(field, match)).join(" OR ");
    // A field that is absent is not equal to anything, so `not_` keeps it.
    return isNegated ? `NOT coalesce(${any}, false)` : `(${any})`;
  }

  #match(name: string, match: Match): string {
    const field = FIELDS[name];
    const expression = field === undefined ? this.#attribute(name) : fieldExpression(name);
    const isInteger = field?.type === "integer";
    switch (match.kind) {
      case "absent":
        return `(${expression} IS NULL)`;
      case "equals": {
        const value = this.value(isInteger ? Number(match.value) : match.value);
        return `(${expression} = ${value}${isInteger ? "::INTEGER" : ""})`;
      }
      case "prefix":
        return `starts_with(${expression}, ${this.value(match.value)})`;
      default:
        return match satisfies never;
    }
  }

  /** An attribute of the record, in the map or in its own column, else of the resource; compared as text. */
  #attribute(name: string): string {
    const key = name.slice("attr.".length);
    const pointer = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const places = [
      `json_extract_string(attributes[${this.value(key)}]::JSON, '$')`,
      `json_extract_string(resource_attributes, ${this.value(pointer)})`,
    ];
    const column = METADATA_COLUMNS.get(key);
    if (column !== undefined) places.splice(1, 0, `${column}::VARCHAR`);
    if (key === ATTR_COST_AMOUNT) places.splice(1, 0, "(cost_nano / 1e9)::VARCHAR");
    return `coalesce(${places.join(", ")})`;
  }

  #contains(q: string): string {
    const needle = this.value(q.toLowerCase());
    const columns: ColumnName[] = ["description", "action", "resource_id"];
    const any = columns.map((column) => `contains(lower(${column}), lower(${needle}))`);
    return `coalesce(${any.join(" OR ")}, false)`;
  }
}

/** Writes a field as an expression over the events table; closed lists read as text. */
export function fieldExpression(name: string): string {
  if (name === "agent") {
    return "coalesce(agent_id, CASE WHEN actor_type = 'agent' THEN actor_id END)";
  }
  const { columns, values } = FIELDS[name] as Field;
  const first = values === undefined ? columns[0] : `${columns[0]}::VARCHAR`;
  return columns.length === 1 ? first : `coalesce(${columns.join(", ")})`;
}
