import { spliceLogsRequest } from "@agent-audit/otlp";
import {
  DIGEST_BYTES,
  type Disk,
  DiskGuard,
  type DiskGuardLimits,
  encodeIdentity,
  type IdentityWriter,
  InlineIdentityWriter,
  type JournalCut,
  JournalWriter,
  loadKnownAtStart,
  type NewFrame,
  type QuarantinedBefore,
  quarantinedBytes,
  type SeenRecords,
  type SegmentLimits,
  type StreamTotals,
  type Syncer,
  shareOf,
} from "@agent-audit/store";
import { type Admission, admit, type ReceivedBody } from "./admit.js";
import { countSync, type IngestCounters, zeroCounters } from "./ingest-counters.js";
import type { StoreOutcome } from "./journal-messages.js";
import { QuarantineBudget } from "./quarantine-budget.js";
import { NO_SENDER, type Sender } from "./sender.js";
import { type ServerEvent, serverEventPayload } from "./server-event.js";

/** What a start has to read besides: about a third of a second. */
const IDENTITY_BYTES = 64 * 1024 * 1024;

/** Of the disk that must be free for events of the server's own: few and small, and needed to make room. */
const OWN_SHARE = 0.1;

/** In a frame whose records all have ids: nobody will ask for its digest. */
const NO_DIGEST = new Uint8Array(DIGEST_BYTES);

type Admitted = Extract<Admission, { status: "admitted" }>;

export interface IngestOptions {
  /** `<data>/journal` */
  directory: string;
  storeId: string;
  /** Ids that the data directory had before. */
  formerStoreIds?: readonly string[] | undefined;
  diskGuard: DiskGuardLimits;
  /** Bytes of set-aside records that are kept of one receive day. */
  maxQuarantineBytesPerDay: number;
  /** Whether a request whose records have no ids is known again within ten minutes; default yes. */
  deduplicatesUnidentified?: boolean | undefined;
  /** Size at which a journal file is closed; default 256 MiB. */
  rotateBytes?: number;
  /** When the day's next segment begins; default: with the next day. */
  segmentLimits?: SegmentLimits | undefined;
  /** Bytes of the journal after which it is written down again what its records are known by; default 64 MiB. */
  identityBytes?: number;
  /** Clock, ns since 1970 UTC. */
  now?: () => bigint;
  disk?: Disk;
  /** Default: on the calling thread. */
  syncer?: Syncer;
  /** Default: on the calling thread. */
  identityWriter?: IdentityWriter;
}

/**
 * Stores bodies: admission, recognition of duplicates, journal. Owned by one thread. An error from any method
 * is final: after a failed write or sync nobody knows what the file holds, and trying again on it could
 * acknowledge what is not there.
 */
export class Ingest {
  readonly counters: IngestCounters = zeroCounters();
  readonly #now: () => bigint;
  readonly #journal: JournalWriter;
  readonly #guard: DiskGuard;
  readonly #ownGuard: DiskGuard;
  readonly #quarantine: QuarantineBudget;
  readonly #inlineWriter: IdentityWriter;
  readonly #identityWriter: IdentityWriter;
  readonly #identityBytes: number;
  readonly #deduplicatesUnidentified: boolean;
  /** `writtenBytes` of the journal when it was last written down what its records are known by. */
  #savedAtBytes = 0;
  #seen: SeenRecords;
  /** Before the journal's newest file. */
  #quarantined: QuarantinedBefore | null = null;
  #hasRoom = true;
  #syncBegin: number | null = null;

  /**
   * Recovers the journal and what its records are known by; {@link begin} makes both ready for writing.
   *
   * @throws AuditError `journal_corrupt`, `journal_foreign`, `journal_version`
   */
  constructor(options: IngestOptions) {
    const { directory, storeId, formerStoreIds, rotateBytes, segmentLimits, disk, syncer } =
      options;
    this.#now = options.now ?? (() => BigInt(Date.now()) * 1_000_000n);
    this.#guard = new DiskGuard(directory, options.diskGuard);
    this.#ownGuard = new DiskGuard(directory, shareOf(options.diskGuard, OWN_SHARE));
    this.#identityBytes = options.identityBytes ?? IDENTITY_BYTES;
    this.#deduplicatesUnidentified = options.deduplicatesUnidentified ?? true;
    this.#inlineWriter = new InlineIdentityWriter(directory, disk);
    this.#identityWriter = options.identityWriter ?? this.#inlineWriter;
    this.#journal = new JournalWriter({
      directory,
      storeId,
      formerStoreIds,
      now: this.#now,
      onRotate: (firstSeq) => this.#save(firstSeq, true, this.#identityWriter),
      ...(rotateBytes === undefined ? {} : { rotateBytes }),
      ...(segmentLimits === undefined ? {} : { segmentLimits }),
      ...(disk === undefined ? {} : { disk }),
      ...(syncer === undefined ? {} : { syncer }),
    });
    const { day, syncedSeq } = this.#journal;
    const { seen, quarantined } = loadKnownAtStart(directory, syncedSeq, disk);
    this.#seen = seen;
    this.#quarantined = quarantined;
    const usedBytes = quarantinedBytes(directory, day, quarantined, disk);
    this.#quarantine = new QuarantineBudget(options.maxQuarantineBytesPerDay, day, usedBytes);
  }

  /** Recovers, and begins. @throws AuditError see the constructor */
  static open(options: IngestOptions): Ingest {
    const ingest = new Ingest(options);
    ingest.begin();
    return ingest;
  }

  /** Changes the journal for the first time: it must be known by then to be the right one. */
  begin(): void {
    this.#journal.open();
    // At once: a file that is ahead of the journal must be gone before there are records of its sequences.
    this.#save(this.#journal.nextSeq, true, this.#inlineWriter);
  }

  /** What recovery cut off. */
  get cut(): JournalCut | null {
    return this.#journal.cut;
  }

  /** Highest sequence that is on disk; 0 for none. */
  get syncedSeq(): bigint {
    return this.#journal.syncedSeq;
  }

  /** What is missing of the emitters' streams. */
  get streams(): StreamTotals {
    return this.#seen.totals;
  }

  /** Whether the disk had room for the last body. */
  get hasRoom(): boolean {
    return this.#hasRoom;
  }

  /** Takes a body: on disk when a sync that started later has ended, and not to be told before. */
  store(body: ReceivedBody): StoreOutcome {
    const admission = admit(body);
    if (admission.status === "refused") return admission;
    const hasRoom = this.#guard.hasRoom(admission.payload.length);
    // Told once: small bodies between large ones would say otherwise each time.
    this.#hasRoom = this.#hasRoom ? hasRoom : this.#guard.hasRoom(body.maxBodyBytes);
    if (!hasRoom) return { status: "no_room" };
    for (const { length } of body.blocks) this.counters.receivedBytes += length;
    return this.#append(admission, body.sender);
  }

  /** Takes an event of the server's own: it has no sender, and nothing to be compared with. */
  record(event: ServerEvent): StoreOutcome {
    const receivedNano = this.#now();
    const payload = serverEventPayload(event, receivedNano);
    if (!this.#ownGuard.hasRoom(payload.length)) return { status: "no_room" };
    this.#journal.rotateIfDue(receivedNano);
    const lastSeq = this.#journal.append({
      kind: "system",
      payload,
      recordCount: 1,
      receivedNano,
      digest: NO_DIGEST,
      ...NO_SENDER,
    });
    return { status: "stored", lastSeq, rejectedCount: 0, reason: "" };
  }

  /** Starts to sync what was stored, unless a sync runs. */
  startSync(): void {
    if (this.#journal.startSync()) this.#syncBegin = performance.now();
  }

  /** Whether a sync runs; when one has ended, `syncedSeq` has moved. */
  isSyncing(): boolean {
    const isSyncing = this.#journal.isSyncing();
    if (!isSyncing && this.#syncBegin !== null) {
      countSync(this.counters, (performance.now() - this.#syncBegin) / 1000);
      this.#syncBegin = null;
    }
    return isSyncing;
  }

  /** Syncs and closes the journal. */
  close(): void {
    this.#journal.close();
  }

  #append(admission: Admitted, sender: Sender): StoreOutcome {
    const { counters } = this;
    counters.decodedBytes += admission.bodyBytes;
    counters.repaired += admission.repairedCount;
    const { faults } = admission;
    const receivedNano = this.#now();
    // Before anything is decided about a record: a new file starts from what was known before it.
    this.#journal.rotateIfDue(receivedNano);
    this.#saveIfDue();
    const { payload, recordCount, digest } = this.#withoutDuplicates(
      admission,
      receivedNano,
      sender,
    );
    const append = (kind: NewFrame["kind"], payload: Uint8Array, recordCount: number) => {
      const frame = { kind, payload, recordCount, receivedNano, digest, ...sender };
      return this.#journal.append(frame);
    };
    const firstSeq = recordCount > 0 ? append("records", payload, recordCount) : null;
    for (const aside of this.#quarantine.take(faults, this.#journal.day)) {
      append("quarantine", aside, 0);
    }
    counters.stored += recordCount;
    counters.journalBytes = this.#journal.writtenBytes;
    for (const { code } of faults) counters.quarantined[code]++;
    return {
      status: "stored",
      lastSeq: firstSeq === null ? 0n : firstSeq + BigInt(recordCount) - 1n,
      rejectedCount: faults.length,
      reason: faults[0]?.reason ?? "",
    };
  }

  #saveIfDue(): void {
    const { writtenBytes, nextSeq } = this.#journal;
    if (writtenBytes - this.#savedAtBytes < this.#identityBytes) return;
    this.#save(nextSeq, false, this.#identityWriter);
  }

  /** Writes down what a start must know of all before `firstSeq`, unless the writer is busy. */
  #save(firstSeq: bigint, isSynced: boolean, writer: IdentityWriter): void {
    // What is true of a file's beginning stays so, also of one without records that another of its name replaces.
    const isNewFile = isSynced && this.#quarantined?.fileSeq !== firstSeq;
    if (isNewFile) this.#quarantined = { ...this.#quarantine.used, fileSeq: firstSeq };
    if (writer.isBusy) return;
    const bytes = encodeIdentity({ seen: this.#seen, quarantined: this.#quarantined });
    writer.write({ firstSeq, isSynced, bytes });
    this.#savedAtBytes = this.#journal.writtenBytes;
  }

  /** Takes out what was stored before: its sender did not hear of it, and is told now. */
  #withoutDuplicates(
    { payload, scan, digest }: Admitted,
    receivedNano: bigint,
    sender: Sender,
  ): Pick<NewFrame, "payload" | "recordCount" | "digest"> {
    const { counters } = this;
    let known: Uint8Array | null = null;
    const request = { payload, scan, receivedNano, ...sender };
    const digestOnce = () => {
      known ??= digest();
      return known;
    };
    const standings = this.#seen.classify({
      ...request,
      digest: this.#deduplicatesUnidentified ? digestOnce : null,
    });
    const duplicates = standings.filter((standing) => standing === "duplicate").length;
    counters.received += standings.length;
    counters.duplicates += duplicates;
    counters.conflicts += standings.filter((standing) => standing === "conflict").length;
    const recordCount = standings.length - duplicates;
    const frame = { payload, recordCount, digest: known ?? NO_DIGEST };
    if (duplicates === 0 || recordCount === 0) return frame;
    const kept = spliceLogsRequest(payload, (index) => standings[index] !== "duplicate");
    return { ...frame, payload: kept };
  }
}
