import { AuditError, PHASES } from "@agent-audit/schema";
import {
  EVERYTHING,
  type Hold,
  type RetentionCandidate,
  type Snapshot,
  type SnapshotSegment,
  type Store,
  tablesOf,
} from "@agent-audit/store";
import { Parameters, parseFilter } from "./parse-filter.js";
import { BadRequestError } from "./query-error.js";
import { anySql } from "./sql/events-sql.js";

const NANOS_PER_DAY = 86_400_000_000_000n;
const RELATIVE_TIME = /^now/;
/** An expression must not grow without bound. */
const HOLDS_AT_ONCE = 100;

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
      const heldBy = await this.#look(candidate, holdersOf);
      if (heldBy !== null) segments.push(planned(candidate, heldBy));
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
    if ((await this.#look(candidate, isHeld)) !== false) return null;
    const segment = planned(candidate, []);
    await this.#options.onDrop(segment, caller);
    await this.#options.store.drop(segment.segment);
    return segment;
  }

  /** Looks into a segment for what is held; gives `null` for one that cannot be read now, and so stays. */
  async #look<T>(
    { name, minTime, maxTime }: RetentionCandidate,
    find: (segment: HeldSegment, holds: readonly Hold[]) => Promise<T>,
  ): Promise<T | null> {
    const { store } = this.#options;
    // Of its time alone: a hold may take long to look for, and changes of other segments wait for their readers.
    const range = { fromNano: minTime, toNano: maxTime === null ? null : maxTime + 1n };
    const snapshot = await store.snapshot(range);
    try {
      const segment = snapshot.segments.find((segment) => segment.name === name);
      if (segment?.table == null) return null;
      return await find({ snapshot, segment }, await store.holds());
    } finally {
      snapshot.release();
    }
  }
}

/** A segment that can be read, and may hold events that are held. */
interface HeldSegment {
  snapshot: Snapshot;
  segment: SnapshotSegment;
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

/** Tells whether any hold matches an event of a segment. */
async function isHeld({ snapshot, segment }: HeldSegment, holds: readonly Hold[]) {
  for (let at = 0; at < holds.length; at += HOLDS_AT_ONCE) {
    const filters = holds.slice(at, at + HOLDS_AT_ONCE).map(({ query }) => filterOf(query));
    const found = await snapshot.query(anySql(tablesOf([segment]), filters, segment.lastSeq));
    if (found.length > 0) return true;
  }
  return false;
}

/** Gives the holds that match an event of a segment: most match none, and half of them at once is told by one look. */
async function holdersOf(held: HeldSegment, holds: readonly Hold[]): Promise<string[]> {
  if (!(await isHeld(held, holds))) return [];
  if (holds.length === 1) return holds.map(({ id }) => id);
  const middle = holds.length >> 1;
  const first = await holdersOf(held, holds.slice(0, middle));
  return [...first, ...(await holdersOf(held, holds.slice(middle)))];
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
