import type { IngestCounters, JournalClient, Receiver } from "@agent-audit/collector";
import type { StoreStatus } from "@agent-audit/store";
import type { Attributes } from "@opentelemetry/api";

const SEGMENT_STATES = ["open", "sealed", "damaged", "rebuilding"] as const;

/** What one scrape sees. */
export interface Scrape {
  answers: Receiver["answers"];
  journal: JournalClient | null;
  status: StoreStatus;
  silentStreams: number | null;
}

type Observation = number | null | undefined | readonly (readonly [number, Attributes])[];

/** One metric: its name, and how a scrape reads it; without a value it is left out. */
export interface Figure {
  kind: "Counter" | "Gauge";
  /** Under `agent_audit.`; the unit ends it. */
  name: string;
  description: string;
  read: (scrape: Scrape) => Observation;
}

const counter = (name: string, description: string, read: Figure["read"]): Figure => ({
  kind: "Counter",
  name,
  description,
  read,
});
const gauge = (name: string, description: string, read: Figure["read"]): Figure => ({
  ...counter(name, description, read),
  kind: "Gauge",
});
const counted =
  (name: Exclude<keyof IngestCounters, "quarantined" | "syncBuckets">): Figure["read"] =>
  ({ journal }) =>
    journal?.counters[name];

/** Every metric of the server but the histogram of syncs; docs/operating.md says what they mean. */
export const FIGURES: readonly Figure[] = [
  counter("records.received", "Sound records that arrived", counted("received")),
  counter("records.stored", "Records that were written and synced", counted("stored")),
  counter("records.duplicates", "Records that were stored before", counted("duplicates")),
  counter("records.conflicts", "Stored under an id with other content", counted("conflicts")),
  counter("records.repaired", "Stored with a value replaced", counted("repaired")),
  counter("records.quarantined", "Records set aside", ({ journal }) =>
    Object.entries(journal?.counters.quarantined ?? {}).map(([reason, n]) => [n, { reason }]),
  ),
  counter("bodies.received_bytes", "Bodies as they came", counted("receivedBytes")),
  counter("bodies.decoded_bytes", "Bodies after decompression", counted("decodedBytes")),
  counter("journal.written_bytes", "Frames written to the journal", counted("journalBytes")),
  counter("otlp.answers", "Answers to exports by HTTP status", ({ answers }) =>
    [...answers].map(([status, n]) => [n, { "http.response.status_code": status }]),
  ),
  gauge("journal.seq", "Highest sequence on disk", ({ status }) => Number(status.journalSeq)),
  gauge("applied.seq", "Highest sequence that queries see", ({ status }) =>
    Number(status.appliedSeq),
  ),
  gauge("apply.lag_records", "Records on disk that queries do not see yet", ({ status }) =>
    Number(status.journalSeq - status.appliedSeq),
  ),
  gauge("segments.count", "Segments by state", ({ status: { segments } }) =>
    SEGMENT_STATES.map((state) => [segments.filter((s) => s.state === state).length, { state }]),
  ),
  gauge("segments.size_bytes", "Segments with their WALs on disk", ({ status: { segments } }) =>
    segments.reduce((sum, { bytes }) => sum + bytes, 0),
  ),
  gauge("journal.size_bytes", "The journal on disk", ({ status }) => status.journalBytes),
  gauge(
    "disk.free_bytes",
    "Free on the data directory's disk",
    ({ status }) => status.diskFreeBytes,
  ),
  gauge("streams.known", "Emitters' streams ever seen", ({ journal }) => journal?.streams.streams),
  gauge("streams.gaps", "Missing ranges in all streams", ({ journal }) => journal?.streams.gaps),
  gauge(
    "streams.missing_records",
    "Missing records in all streams",
    ({ journal }) => journal?.streams.missing,
  ),
  gauge(
    "streams.silent",
    "Streams of the last day that did not end and are not heard",
    (scrape) => scrape.silentStreams,
  ),
  gauge("process.memory_bytes", "Resident memory", () => process.memoryUsage.rss()),
  gauge("process.uptime_seconds", "Time since the start", () => process.uptime()),
];
