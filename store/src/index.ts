export type { Hold } from "./catalog-log.js";
export { storeConfig } from "./config.js";
export { type DataDirectory, storeIdsOf } from "./data-directory.js";
export { DiskGuard, type DiskGuardLimits, shareOf } from "./disk-guard.js";
export { COLUMN_NAMES, type ColumnName } from "./engine/columns.js";
export type { RetentionCandidate, SegmentStatus } from "./engine/engine.js";
export type { Cell } from "./engine/engine-messages.js";
export type { QueryRequest } from "./engine/query-runner.js";
export type { RawRecord } from "./engine/raw-record.js";
export type { RebuildProgress } from "./engine/rebuild-progress.js";
export type { Column } from "./engine/result-columns.js";
export {
  IS_UNPRICED_SQL,
  QUARTER_NANOS,
  SUMMED_COLUMNS,
  SUMS_DIMENSIONS,
  SUMS_EXTRAS,
} from "./engine/segment-sums.js";
export { type SnapshotSegment, type TimeRange, tablesOf } from "./engine/snapshot-segments.js";
export {
  type IdentityWriter,
  InlineIdentityWriter,
  loadKnownAtStart,
} from "./identity/identity-file.js";
export { encodeIdentity } from "./identity/identity-format.js";
export { IdentityThread } from "./identity/identity-thread.js";
export { identityScanner } from "./identity/record-identity.js";
export { SeenRecords, type Standing, type StreamTotals } from "./identity/seen-records.js";
export { type Disk, nodeDisk } from "./journal/disk.js";
export { DIGEST_BYTES, type Frame, type FrameKind } from "./journal/format.js";
export { journalNames } from "./journal/journal-files.js";
export { JournalReader, type SegmentFrame } from "./journal/journal-reader.js";
export {
  type JournalOptions,
  JournalWriter,
  type NewFrame,
  type SegmentLimits,
} from "./journal/journal-writer.js";
export { decodeQuarantine, encodeQuarantine, type Quarantined } from "./journal/quarantine.js";
export { type QuarantinedBefore, quarantinedBytes } from "./journal/quarantined-bytes.js";
export {
  type QuarantineEntry,
  type QuarantinePage,
  type QuarantinePlace,
  readQuarantine,
  readQuarantineEntry,
} from "./journal/read-quarantine.js";
export type { JournalCut } from "./journal/recover-journal.js";
export { sealableFiles, sealJournal } from "./journal/seal-journal.js";
export { type Syncer, ThreadSyncer } from "./journal/syncer.js";
export { EVERYTHING, isLimited, type ReadScope } from "./read-scope.js";
export { MAX_SEQ, type SeqRange } from "./seq-range.js";
export { SharedPosition } from "./shared-position.js";
export { type Snapshot, Store, type StoreOptions, type StoreStatus } from "./store.js";
