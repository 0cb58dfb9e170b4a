import fs from "node:fs";
import path from "node:path";
import { crc32 } from "node:zlib";
import { AuditError } from "@agent-audit/schema";
import { z } from "zod";
import type { DroppedSegment } from "./dropped.js";
import { type Disk, nodeDisk, readRange, syncDirectory, writeFully } from "./journal/disk.js";
import { parseSegmentName, type SegmentId, segmentName } from "./segment-id.js";
import type { SeqRange } from "./seq-range.js";

const FILE = "catalog.log";
/** Hexadecimal digits of a line's CRC-32, before a space and the JSON text. */
const CRC_DIGITS = 8;

/** 64 bits do not fit into a JSON number. */
const integer = z
  .string()
  .regex(/^\d+$/)
  .transform((text) => BigInt(text));

const segment = z.string().transform((name, context): SegmentId => {
  const id = parseSegmentName(name);
  if (id !== null) return id;
  context.addIssue("is no segment");
  return z.NEVER;
});

const sealedSegment = z.object({
  event: z.literal("sealed"),
  segment,
  first_seq: integer,
  last_seq: integer,
  rows: integer,
  /** Event times, ns since 1970 UTC; `null` for a segment without rows. */
  min_time: integer.nullable(),
  max_time: integer.nullable(),
});

const heldEvents = z.object({
  event: z.literal("hold_added"),
  id: z.string(),
  /** Parameters of the query API that say which events are held. */
  query: z.string(),
  note: z.string(),
  created_time: z.string(),
});

const entry = z.discriminatedUnion("event", [
  z.object({ event: z.literal("opened"), segment, first_seq: integer }),
  sealedSegment,
  z.object({ event: z.literal("damaged"), segment, reason: z.string() }),
  z.object({ event: z.literal("dropped"), segment, first_seq: integer, last_seq: integer }),
  heldEvents,
  z.object({ event: z.literal("hold_removed"), id: z.string() }),
  // Of the journal's end: what follows takes these sequences again.
  z.object({ event: z.literal("journal_lost"), first_seq: integer, last_seq: integer }),
  // Of what lies between: nothing will ever have these sequences.
  z.object({ event: z.literal("journal_hole"), first_seq: integer, last_seq: integer }),
  z.object({ event: z.literal("journal_loss_recorded") }),
]);

/** What a segment held when it was sealed. */
export type SealedSegment = z.infer<typeof sealedSegment>;
/** Keeps segments with events that match from being dropped. */
export type Hold = Omit<z.infer<typeof heldEvents>, "event">;
export type CatalogEntry = z.infer<typeof entry>;

/**
 * What became of each segment: appended, synced lines of `<crc32> <json>`. It says what a segment's file must hold
 * even when that file is gone. Owned by the engine's thread.
 */
export class CatalogLog {
  readonly #sealed = new Map<SegmentId, SealedSegment>();
  readonly #reopened = new Set<SegmentId>();
  readonly #unrecorded: SeqRange[] = [];
  readonly #holes: SeqRange[] = [];
  #dropped: DroppedSegment[] = [];
  #knownUpto = 0n;
  readonly #holds = new Map<string, Hold>();
  readonly #disk: Disk;
  readonly #fd: number;
  #size = 0;

  /**
   * Opens the log of a data directory, making it when it is missing. A torn last line was never relied on and is cut.
   *
   * @throws AuditError `catalog_corrupt` when a line is damaged that was written whole
   */
  constructor(root: string, disk: Disk = nodeDisk) {
    this.#disk = disk;
    const file = path.join(root, FILE);
    const isNew = !disk.readdirSync(root).includes(FILE);
    this.#fd = disk.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
    if (isNew) syncDirectory(disk, root);
    const bytes = readRange(disk, this.#fd, 0, disk.fstatSync(this.#fd).size);
    this.#replay(bytes, file);
  }

  /** What a segment's file must hold; `undefined` when it is not sealed, or made anew since. */
  sealed(id: SegmentId): SealedSegment | undefined {
    return this.#reopened.has(id) ? undefined : this.#sealed.get(id);
  }

  /** What a segment held when it was last sealed: with the same journal it will hold that again. */
  lastSealed(id: SegmentId): SealedSegment | undefined {
    return this.#sealed.get(id);
  }

  /** Segments that are given up for good. */
  get dropped(): readonly DroppedSegment[] {
    return this.#dropped;
  }

  /** What may be missing from the journal: it was dropped, or its loss was accepted. */
  get absent(): readonly SeqRange[] {
    return [...this.#dropped, ...this.#holes];
  }

  /** A sequence that the journal has had, or has: it may go further. */
  get knownUpto(): bigint {
    return this.#knownUpto;
  }

  /** Losses of the journal that were accepted and are not in the trail yet, oldest first. */
  get unrecordedLosses(): readonly SeqRange[] {
    return this.#unrecorded;
  }

  /** Marks the oldest of them as told. */
  lossRecorded(): void {
    this.append({ event: "journal_loss_recorded" });
  }

  /** Holds that are in force, oldest first. */
  get holds(): Hold[] {
    return [...this.#holds.values()];
  }

  addHold(hold: Hold): void {
    this.append({ event: "hold_added", ...hold });
  }

  /** @throws AuditError `not_found` */
  removeHold(id: string): void {
    if (!this.#holds.has(id)) {
      throw new AuditError(
        "not_found",
        `there is no hold ${id}`,
        "agent-audit hold list names them",
      );
    }
    this.append({ event: "hold_removed", id });
  }

  /** Adds a line; it is on disk when this returns. */
  append(entry: CatalogEntry): void {
    const line = encodeLine(entry);
    // Over what a failed write may have left.
    this.#disk.ftruncateSync(this.#fd, this.#size);
    writeFully(this.#disk, this.#fd, [line], this.#size);
    this.#disk.fdatasyncSync(this.#fd);
    this.#size += line.length;
    this.#take(entry);
  }

  close(): void {
    this.#disk.closeSync(this.#fd);
  }

  #replay(bytes: Buffer, file: string): void {
    while (this.#size < bytes.length) {
      const end = bytes.indexOf("\n", this.#size);
      const line = decodeLine(bytes.subarray(this.#size, end < 0 ? bytes.length : end + 1));
      if (line === null) {
        // A write that was cut short has left no end of a line, or sectors of nothing before it.
        const isTorn = end < 0 || bytes.subarray(this.#size, end).includes(0);
        if (isTorn && (end < 0 || end + 1 === bytes.length)) return;
        throw new AuditError(
          "catalog_corrupt",
          `${file} is damaged at offset ${this.#size}`,
          "restore it from a backup; without the file, what was dropped and what is held is forgotten",
        );
      }
      this.#size = end + 1;
      this.#take(line);
    }
  }

  /** The sequences stand for other events from now on: what is known of the old ones is no longer true. */
  #lose(lost: SeqRange): void {
    this.#unrecorded.push(lost);
    if (this.#knownUpto >= lost.firstSeq) this.#knownUpto = lost.firstSeq - 1n;
    this.#dropped = this.#dropped.filter(({ lastSeq }) => lastSeq < lost.firstSeq);
    for (const [id, { last_seq }] of this.#sealed) {
      if (last_seq >= lost.firstSeq) this.#sealed.delete(id);
    }
  }

  #know(seq: bigint): void {
    if (seq > this.#knownUpto) this.#knownUpto = seq;
  }

  #take(line: CatalogEntry): void {
    switch (line.event) {
      case "opened":
        this.#reopened.add(line.segment);
        this.#know(line.first_seq);
        break;
      case "sealed":
        this.#sealed.set(line.segment, line);
        this.#reopened.delete(line.segment);
        this.#know(line.last_seq);
        break;
      case "dropped":
        this.#sealed.delete(line.segment);
        this.#know(line.last_seq);
        this.#dropped.push({
          id: line.segment,
          firstSeq: line.first_seq,
          lastSeq: line.last_seq,
        });
        break;
      case "hold_added": {
        const { event: _, ...hold } = line;
        this.#holds.set(line.id, hold);
        break;
      }
      case "hold_removed":
        this.#holds.delete(line.id);
        break;
      case "journal_lost":
        this.#lose({ firstSeq: line.first_seq, lastSeq: line.last_seq });
        break;
      case "journal_hole": {
        const hole = { firstSeq: line.first_seq, lastSeq: line.last_seq };
        this.#holes.push(hole);
        this.#unrecorded.push(hole);
        break;
      }
      case "journal_loss_recorded":
        this.#unrecorded.shift();
        break;
      case "damaged":
        break;
      default:
        line satisfies never;
    }
  }
}

function encodeLine(line: CatalogEntry): Buffer {
  const named = "segment" in line ? { ...line, segment: segmentName(line.segment) } : line;
  const text = JSON.stringify(named, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  const crc = crc32(text).toString(16).padStart(CRC_DIGITS, "0");
  return Buffer.from(`${crc} ${text}\n`);
}

function decodeLine(bytes: Buffer): CatalogEntry | null {
  const text = bytes.toString("utf8");
  if (!text.endsWith("\n")) return null;
  const json = text.slice(CRC_DIGITS + 1, -1);
  if (Number.parseInt(text.slice(0, CRC_DIGITS), 16) !== crc32(json)) return null;
  try {
    return entry.parse(JSON.parse(json));
  } catch {
    return null;
  }
}
