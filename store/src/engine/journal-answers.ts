import type { CatalogLog } from "../catalog-log.js";
import {
  type QuarantineEntry,
  type QuarantinePage,
  type QuarantinePlace,
  readQuarantine,
  readQuarantineEntry,
} from "../journal/read-quarantine.js";
import type { ReadScope } from "../read-scope.js";
import { covers } from "../seq-range.js";
import type { SharedPosition } from "../shared-position.js";
import { type ExportSlice, exportLines } from "./export-lines.js";
import { type RawRecord, readRawRecord } from "./raw-record.js";
import type { SegmentSet } from "./segment-set.js";

/** Answers what the journal itself must be read for, with what the engine knows of it. */
export class JournalAnswers {
  readonly #directory: string;
  readonly #position: SharedPosition;
  readonly #catalog: CatalogLog;
  readonly #segments: SegmentSet;

  constructor(
    directory: string,
    position: SharedPosition,
    catalog: CatalogLog,
    segments: SegmentSet,
  ) {
    this.#directory = directory;
    this.#position = position;
    this.#catalog = catalog;
    this.#segments = segments;
  }

  /** Writes a slice of the journal as OTLP/JSON; see `exportLines`. */
  exportLines(
    afterSeq: bigint,
    uptoSeq: bigint,
    maxRecords: number,
    scope: ReadScope,
  ): ExportSlice {
    const { absent } = this.#catalog;
    return exportLines(this.#directory, afterSeq, uptoSeq, { maxRecords, scope, absent });
  }

  /** Reads a record as it was received; `null` when the journal does not hold it. */
  rawRecord(seq: bigint): RawRecord | null {
    if (covers(this.#catalog.absent, { firstSeq: seq, lastSeq: seq })) return null;
    return readRawRecord(this.#directory, seq, this.#position.syncedSeq);
  }

  /** Reads a page of what was set aside; see `readQuarantine`. */
  quarantine(before: QuarantinePlace | null, limit: number, scope: ReadScope): QuarantinePage {
    const { setAside } = this.#segments;
    return readQuarantine(this.#directory, before, limit, { scope, setAside });
  }

  /** Reads one entry of what was set aside; `null` when there is none at that place. */
  quarantineEntry(place: QuarantinePlace, scope: ReadScope): QuarantineEntry | null {
    const { setAside } = this.#segments;
    return readQuarantineEntry(this.#directory, place, { scope, setAside });
  }
}
