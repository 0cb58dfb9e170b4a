import { type LogsRequest, readLogsRequest, writeLogsRequestJson } from "@agent-audit/otlp";
import { type Envelope, readEnvelope } from "@agent-audit/schema";
import { nodeDisk } from "../journal/disk.js";
import type { Frame } from "../journal/format.js";
import { JournalReader } from "../journal/journal-reader.js";
import { type Belonging, isInScope, isLimited, type ReadScope } from "../read-scope.js";
import { covers, type SeqRange } from "../seq-range.js";

/** Characters after which a slice ends: records may be large. */
const MAX_SLICE_LENGTH = 16 * 1024 * 1024;

/** Says what of the journal a slice holds. */
export interface ExportLimits {
  maxRecords: number;
  scope: ReadScope;
  /** What may be missing from the journal. */
  absent: readonly SeqRange[];
}

/** Carries a slice of the journal as lines of OTLP/JSON. */
export interface ExportSlice {
  /** One ExportLogsServiceRequest a line, each ended by a newline. */
  lines: string;
  /** Last sequence that the slice holds; the next one follows it. */
  lastSeq: bigint;
}

/**
 * Writes stored requests as they were received, records after `afterSeq` up to `uptoSeq`, until the slice
 * holds `maxRecords`. What lies outside the reader's scope is passed over.
 */
export function exportLines(
  journalDirectory: string,
  afterSeq: bigint,
  uptoSeq: bigint,
  { maxRecords, scope, absent }: ExportLimits,
): ExportSlice {
  const mayLack = (range: SeqRange) => covers(absent, range);
  const reader = new JournalReader(journalDirectory, afterSeq + 1n, nodeDisk, mayLack);
  const slice: ExportSlice = { lines: "", lastSeq: afterSeq };
  try {
    let records = 0;
    while (records < maxRecords && slice.lines.length < MAX_SLICE_LENGTH) {
      const next = reader.next(uptoSeq);
      if (next === null) {
        // All the rest was dropped meanwhile.
        slice.lastSeq = uptoSeq;
        break;
      }
      const { firstSeq, recordCount, payload } = next.frame;
      const request = readLogsRequest(payload);
      const skipped = afterSeq >= firstSeq ? Number(afterSeq - firstSeq + 1n) : 0;
      if (skipped > 0) dropFirst(request, skipped);
      if (isLimited(scope)) dropOthers(request, next.frame, scope);
      if (request.resourceLogs.length > 0) slice.lines += `${writeLogsRequestJson(request)}\n`;
      slice.lastSeq = firstSeq + BigInt(recordCount) - 1n;
      records += recordCount;
    }
    return slice;
  } finally {
    reader.close();
  }
}

/** Takes out what the reader may not see, and what is empty without it. */
function dropOthers(request: LogsRequest, frame: Frame, scope: ReadScope): void {
  for (const group of request.resourceLogs) {
    for (const scoped of group.scopeLogs) {
      scoped.logRecords = scoped.logRecords.filter((record) =>
        isInScope(scope, ownerOf(readEnvelope(record, group.resource), frame)),
      );
    }
    group.scopeLogs = group.scopeLogs.filter(({ logRecords }) => logRecords.length > 0);
  }
  request.resourceLogs = request.resourceLogs.filter(({ scopeLogs }) => scopeLogs.length > 0);
}

/** As the engine's columns say it. */
function ownerOf(envelope: Envelope, frame: Frame): Belonging {
  const actor = envelope.actorType === "agent" ? envelope.actorId : null;
  return {
    orgId: frame.orgId || envelope.orgId,
    projectId: frame.projectId || envelope.projectId,
    agentId: frame.agentId || envelope.agentId || actor,
  };
}

function dropFirst(request: LogsRequest, count: number): void {
  let rest = count;
  for (const { scopeLogs } of request.resourceLogs) {
    for (const group of scopeLogs) {
      const dropped = group.logRecords.splice(0, rest).length;
      rest -= dropped;
    }
  }
}
