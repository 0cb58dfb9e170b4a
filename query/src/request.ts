import type { Phase } from "@agent-audit/schema";
import type { ReadScope } from "@agent-audit/store";
import type { Interval } from "./buckets.js";
import type { Cursor, Walk } from "./cursor.js";
import type { GroupField } from "./fields.js";
import type { Zone } from "./zone.js";

// What can be asked, checked and resolved. Requests are read into these once, and `sql/` prints them.

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

/** What an event must be to count. */
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
  /** Phases that count, `null` among them for events without one; `null` for all but `start`, as without `phase=`. */
  phases: readonly (Phase | null)[] | null;
  /** Whether only start records count whose end is not there. */
  isUnfinished: boolean;
}

/** By event time and sequence, newest or oldest first, or by sequence. */
export const ORDERS = ["desc", "asc", "seq"] as const;
export type Order = (typeof ORDERS)[number];

/** Asks for a page of events. */
export interface EventsRequest {
  filter: Filter;
  limit: number;
  order: Order;
  /** For `order=seq`: give what comes after. */
  afterSeq: bigint | null;
  withContent: boolean;
  cursor: Cursor | null;
  walk: Walk;
}

/** What groups can be ordered by, largest first. */
export const GROUP_ORDERS = [
  "count",
  "failure_count",
  "error_count",
  "duration",
  "input_tokens",
  "output_tokens",
  "cost",
  "bytes",
] as const;
export type GroupOrder = (typeof GROUP_ORDERS)[number];

/** Asks for the largest groups of the filtered events. */
export interface GroupsRequest {
  filter: Filter;
  by: GroupField[];
  limit: number;
  orderBy: GroupOrder;
}

/** Asks for the most frequent values of five fields. */
export interface FacetsRequest {
  filter: Filter;
  limit: number;
}

/** Asks for what happened in each bucket of time. */
export interface TimeseriesRequest {
  filter: Filter;
  interval: Interval;
  by: GroupField | null;
  /** Groups of the split; the rest is `other`. */
  limit: number;
  zone: Zone;
}
