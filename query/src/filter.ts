import type { ReadScope } from "@agent-audit/store";

/** One way in which a field can match. */
export type Match =
  | { kind: "equals"; value: string }
  | { kind: "prefix"; value: string }
  | { kind: "absent" };

/** Asks one thing of an event: any of the matches, or none of them when negated. */
export interface Condition {
  /** A name of `FIELDS`, or `attr.<key>`. */
  field: string;
  isNegated: boolean;
  matches: Match[];
}

/** What an event must be to count: the request's filter, checked and resolved, before any SQL. */
export interface Filter {
  /** ns since 1970 UTC; from inclusive, to exclusive; `null` for open. */
  fromNano: bigint | null;
  toNano: bigint | null;
  scope: ReadScope;
  conditions: Condition[];
  /** Text that description, action or resource id must contain, in any case. */
  q: string | null;
  /** Whether `system` events count. */
  includesSystem: boolean;
  /** Phases that count: without `phase=`, all but `start`. */
  phase: "start" | "end" | "any" | null;
}
