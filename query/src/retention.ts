import { AuditError, PHASES } from "@agent-audit/schema";
import {
  EVERYTHING,
  type Hold,
  type RetentionCandidate,
  type Snapshot,
  type Store,
} from "@agent-audit/store";
import { Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { anySql } from "./sql/events-sql.js";

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
  onDrop: (segment: PlannedSegment, caller: string) => Promise<void>;
}

/** Drops old segments as a whole, by the time of receipt, unless a hold keeps them. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #now: () => bigint;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => BigInt(Date.now()) * 1_000_000n);
  }

  /** Says what {@link run} would do now. */
  async plan(): Promise<RetentionPlan> {
    const { keepDays } = this.#options;
    const segments: PlannedSegment[] = [];
    for (const candidate of await this.#candidates()) {
      const segment = await this.#judge(candidate);
      if (segment !== null) segments.push(segment);
    }
    return { keep_days: keepDays, segments };
  }

  /** Drops what is old enough and not held, oldest first, for a caller, and gives what was dropped. */
  async run(caller: string): Promise<PlannedSegment[]> {
    const dropped: PlannedSegment[] = [];
    for (const candidate of await this.#candidates()) {
      // One by one, so that a hold that comes meanwhile counts for all that are left.
      const segment = await this.withHoldsFixed(() => this.#dropUnlessHeld(candidate, caller));
      if (segment !== null) dropped.push(segment);
    }
    return dropped;
  }

  /** Runs an action while no segment is being judged and dropped: a hold that is added so is never too late. */
  async withHoldsFixed<T>(action: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const result = before.then(action);
    this.#last = result.catch(() => {});
    return await result;
  }

  async #candidates(): Promise<RetentionCandidate[]> {
    const { store, keepDays } = this.#options;
    if (keepDays === null) return [];
    return await store.retentionCandidates(Number(this.#now() / NANOS_PER_DAY) - keepDays);
  }

  async #dropUnlessHeld(
    candidate: RetentionCandidate,
    caller: string,
  ): Promise<PlannedSegment | null> {
    const segment = await this.#judge(candidate);
    if (segment?.action !== "drop") return null;
    await this.#options.onDrop(segment, caller);
    await this.#options.store.drop(segment.segment);
    return segment;
  }

  /** Gives `null` for a segment that cannot be read now, and so stays. */
  async #judge(candidate: RetentionCandidate): Promise<PlannedSegment | null> {
    const { store } = this.#options;
    const { minTime, maxTime } = candidate;
    // Of its time alone: a hold may take long to look for, and changes of other segments wait for their readers.
    const range = { fromNano: minTime, toNano: maxTime === null ? null : maxTime + 1n };
    const snapshot = await store.snapshot(range);
    try {
      const heldBy = await holdersOf(snapshot, candidate, await store.holds());
      return heldBy === null ? null : planned(candidate, heldBy);
    } finally {
      snapshot.release();
    }
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
  if (filterOf(query).isUnfinished) {
    throw new BadRequestError(
      "invalid_hold",
      "whether an action is unfinished changes",
      "leave unfinished out; phase=start holds all starts",
    );
  }
}

function filterOf(query: string) {
  const parameters = new Parameters(new URLSearchParams(query), EVERYTHING);
  const filter = parseFilter(parameters, 0n);
  parameters.end([]);
  // Whatever a record is, it can be held.
  return { ...filter, includesSystem: true, phases: filter.phases ?? [...PHASES, null] };
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
    const rows = await snapshot.query(anySql([segment.table], filterOf(query), segment.lastSeq));
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
export function refuseWithoutRetention(keepDays: number | null): void {
  if (keepDays !== null) return;
  throw new AuditError(
    "no_retention",
    "retention.keep is not set: nothing is ever dropped",
    "set it in the configuration, such as retention: { keep: 400d }",
  );
}
