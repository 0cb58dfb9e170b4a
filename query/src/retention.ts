import { AuditError } from "@agent-audit/schema";
import {
  EVERYTHING,
  type Hold,
  type RetentionCandidate,
  type Snapshot,
  type Store,
} from "@agent-audit/store";
import { Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { SqlBuilder } from "./sql.js";

const NANOS_PER_DAY = 86_400_000_000_000n;
const RELATIVE_TIME = /^now/;

/** What would become of one segment that is old enough. */
export interface PlannedSegment {
  segment: string;
  events: number;
  first_seq: number;
  last_seq: number;
  /** Engine file and journal. */
  bytes: number;
  action: "drop" | "keep";
  /** Ids of the holds that keep it. */
  held_by: string[];
}

export interface RetentionPlan {
  /** Segments whose last receive day ended this many days ago or more; `null` where nothing is ever dropped. */
  keep_days: number | null;
  segments: PlannedSegment[];
}

export interface RetentionOptions {
  store: Store;
  /** `null` to drop nothing. */
  keepDays: number | null;
  /** ns since 1970 UTC */
  now?: () => bigint;
  /** Records that a segment is about to be dropped; it stays when this rejects. */
  onDrop: (segment: PlannedSegment) => Promise<void>;
}

/** Drops old segments as a whole, by the time of receipt, unless a hold keeps them. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #now: () => bigint;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => BigInt(Date.now()) * 1_000_000n);
  }

  /** Says what {@link run} would do now. */
  async plan(): Promise<RetentionPlan> {
    const { store, keepDays } = this.#options;
    if (keepDays === null) return { keep_days: null, segments: [] };
    const firstKeptDay = Number(this.#now() / NANOS_PER_DAY) - keepDays;
    const candidates = await store.retentionCandidates(firstKeptDay);
    const holds = await store.holds();
    const snapshot = await store.snapshot();
    try {
      const segments: PlannedSegment[] = [];
      for (const candidate of candidates) {
        const heldBy = await holdersOf(snapshot, candidate, holds);
        if (heldBy !== null) segments.push(planned(candidate, heldBy));
      }
      return { keep_days: keepDays, segments };
    } finally {
      snapshot.release();
    }
  }

  /** Drops what the plan says, oldest first, and gives what was dropped. */
  async run(): Promise<PlannedSegment[]> {
    const { segments } = await this.plan();
    const dropped = segments.filter(({ action }) => action === "drop");
    for (const segment of dropped) {
      await this.#options.onDrop(segment);
      await this.#options.store.drop(segment.segment);
    }
    return dropped;
  }
}

/**
 * Checks the query of a hold: the parameters of `/events` that filter, with times that do not move.
 *
 * @throws BadRequestError
 */
export function checkHold(query: string): void {
  const search = new URLSearchParams(query);
  const isRelative = ["from", "to"].some((name) => RELATIVE_TIME.test(search.get(name) ?? ""));
  if (search.has("last") || isRelative) {
    throw new BadRequestError(
      "invalid_hold",
      "a hold's times must not move",
      "write from=2026-11-01T00:00:00Z",
    );
  }
  filterOf(query);
}

function filterOf(query: string) {
  const parameters = new Parameters(new URLSearchParams(query), EVERYTHING);
  const filter = parseFilter(parameters, 0n);
  parameters.end([]);
  // Whatever a record is, it can be held.
  return { ...filter, includesSystem: true, phase: filter.phase ?? ("any" as const) };
}

/** Gives the holds that match an event of a segment; `null` when the segment cannot be read now, and so stays. */
async function holdersOf(
  snapshot: Snapshot,
  { name }: RetentionCandidate,
  holds: readonly Hold[],
): Promise<string[] | null> {
  const segment = snapshot.segments.find((segment) => segment.name === name);
  if (segment?.table == null) return null;
  const heldBy: string[] = [];
  for (const { id, query } of holds) {
    const sql = new SqlBuilder();
    const where = sql.where(filterOf(query), segment.lastSeq);
    const rows = await snapshot.query({
      sql: `SELECT 1 FROM ${sql.from({ tables: [segment.table] }, ["seq"], where)} LIMIT 1`,
      values: sql.values,
    });
    if (rows.length > 0) heldBy.push(id);
  }
  return heldBy;
}

function planned(candidate: RetentionCandidate, heldBy: string[]): PlannedSegment {
  return {
    segment: candidate.name,
    events: candidate.rows,
    first_seq: Number(candidate.firstSeq),
    last_seq: Number(candidate.lastSeq),
    bytes: candidate.bytes,
    action: heldBy.length === 0 ? "drop" : "keep",
    held_by: heldBy,
  };
}

/** @throws AuditError `no_retention` */
export function refuseWithoutRetention({ keep_days }: RetentionPlan): void {
  if (keep_days !== null) return;
  throw new AuditError(
    "no_retention",
    "retention.keep is not set: nothing is ever dropped",
    "set it in the configuration, such as retention: { keep: 400d }",
  );
}
