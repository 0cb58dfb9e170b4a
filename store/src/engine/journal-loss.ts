import type { CatalogLog } from "../catalog-log.js";
import { type DataDirectory, renewStoreId, storeIdsOf } from "../data-directory.js";
import { listJournalFiles } from "../journal/journal-files.js";
import { refuseForeign } from "../journal/recover-journal.js";
import type { SeqRange } from "../seq-range.js";
import type { SharedPosition } from "../shared-position.js";
import { engineAhead } from "./engine-ahead.js";
import { journalHoles, type SegmentRange } from "./segment-ranges.js";
import type { SegmentSet } from "./segment-set.js";

export interface JournalLossOptions {
  directory: DataDirectory;
  position: SharedPosition;
  catalog: CatalogLog;
  segments: SegmentSet;
  /** Says which segments the journal's files hold up to a sequence. */
  ranges: (syncedSeq: bigint) => SegmentRange[];
}

/** Finds what the recovered journal lacks of what is known to have been in it: a start is refused, or goes on without. */
export class JournalLoss {
  readonly #options: JournalLossOptions;

  constructor(options: JournalLossOptions) {
    this.#options = options;
  }

  /**
   * Compares the newest segment and the journal's files with what is known to have been there: quick whatever the amount
   * stored.
   *
   * @throws AuditError `engine_ahead` when the journal lacks events; `journal_foreign` when it has another store's
   */
  async refuse(): Promise<void> {
    const { directory, position, catalog, segments } = this.#options;
    const { syncedSeq } = position;
    const files = listJournalFiles(directory.journal);
    const storeIds = storeIdsOf(directory);
    for (const { path, storeId } of files) refuseForeign(path, storeId, storeIds);
    const [hole] = journalHoles(files, catalog.absent);
    if (hole !== undefined) {
      throw engineAhead(
        `sequences ${hole.firstSeq} to ${hole.lastSeq} are missing from the journal: a file is gone`,
      );
    }
    const { knownUpto } = catalog;
    if (syncedSeq === 0n && knownUpto > 0n) {
      throw engineAhead(`the journal is empty, and has had sequences up to ${knownUpto}`);
    }
    const ranges = this.#options.ranges(syncedSeq);
    segments.refuseStrayFiles(ranges);
    if (catalog.dropped.some(({ lastSeq }) => lastSeq > syncedSeq)) {
      throw engineAhead(
        `the journal ends at ${syncedSeq}, before sequences that retention has dropped: acknowledged events are missing from it`,
      );
    }
    const newest = ranges.at(-1);
    if (newest !== undefined) await segments.attach(newest, true);
  }

  /**
   * Gives up what the journal has lost, instead of {@link refuse}: DuckDB's files that hold any of it are moved aside. Where the
   * journal's end is lost, the data directory gets a new id, since its sequences come to stand for other events.
   *
   * @returns the sequences that the journal has lost, oldest first
   */
  async accept(): Promise<SeqRange[]> {
    const { directory, position, catalog, segments } = this.#options;
    const { syncedSeq } = position;
    const holes = journalHoles(listJournalFiles(directory.journal), catalog.absent);
    const lossy = await segments.detachLossy(this.#options.ranges(syncedSeq), holes);
    const known = [lossy.lastSeq, ...catalog.dropped.map(({ lastSeq }) => lastSeq)];
    if (syncedSeq === 0n) known.push(catalog.knownUpto);
    const lastSeq = known.reduce((a, b) => (a > b ? a : b));
    // Written down before anything is moved: a start after a kill here asks again, or knows.
    for (const { firstSeq, lastSeq } of holes) {
      catalog.append({ event: "journal_hole", first_seq: firstSeq, last_seq: lastSeq });
    }
    const isEndLost = lastSeq > syncedSeq;
    if (isEndLost) {
      const first_seq = syncedSeq + 1n;
      catalog.append({ event: "journal_lost", first_seq, last_seq: lastSeq });
      renewStoreId(directory);
    }
    segments.moveToLost(lossy.ids);
    return isEndLost ? [...holes, { firstSeq: syncedSeq + 1n, lastSeq }] : holes;
  }
}
