import { readLogsRequest } from "@agent-audit/otlp";
import { readEnvelope } from "@agent-audit/schema";
import type { SegmentFrame } from "../journal/journal-reader.js";
import { jsonObject, type RowWriter } from "./row-writer.js";

/** What is written of a record. */
type FrameRow = Parameters<RowWriter["write"]>;

/** Gives the records of a frame from one sequence to another, both inclusive, as rows, without those that are set aside. */
export function* frameRows(
  { frame, storeId }: SegmentFrame,
  fromSeq: bigint,
  lastSeq: bigint,
  setAside?: ReadonlyMap<bigint, string>,
): Generator<FrameRow> {
  const { receivedNano, keyId } = frame;
  let seq = frame.firstSeq - 1n;
  for (const { resource, scopeLogs } of readLogsRequest(frame.payload).resourceLogs) {
    const resourceJson = resource === null ? null : jsonObject(resource.attributes);
    for (const { logRecords } of scopeLogs) {
      for (const record of logRecords) {
        seq++;
        if (seq < fromSeq || seq > lastSeq || setAside?.has(seq)) continue;
        const envelope = readEnvelope(record, resource, frame);
        yield [envelope, { seq, receivedNano, keyId, storeId, resourceJson }];
      }
    }
  }
}
