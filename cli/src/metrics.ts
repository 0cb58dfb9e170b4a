import {
  type IngestCounters,
  type JournalClient,
  type Receiver,
  SYNC_BUCKETS_SECONDS,
} from "@agent-audit/collector";
import type { Store, StoreStatus } from "@agent-audit/store";
import { type Attributes, type HrTime, type Observable, ValueType } from "@opentelemetry/api";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type HistogramMetricData,
  MeterProvider,
  type MetricProducer,
  MetricReader,
} from "@opentelemetry/sdk-metrics";

const SCOPE = { name: "agent-audit" };
const SEGMENT_STATES = ["open", "rebuilding"] as const;

/** Silent streams are counted by a query over a day: not at every scrape. */
const SILENT_AGE_MILLIS = 60_000;

/** Where the figures come from. */
export interface MetricSources {
  receiver: Receiver;
  store: Store;
  /** `null` until it is recovered. */
  journal: () => JournalClient | null;
  /** `null` while it cannot be told; see `silentStreams`. */
  silentStreams: () => Promise<number | null>;
}

/** What one scrape sees. */
interface Scrape {
  answers: Receiver["answers"];
  journal: JournalClient | null;
  status: StoreStatus;
  silentStreams: number | null;
}

type Observation = number | null | undefined | readonly (readonly [number, Attributes])[];

interface Figure {
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

const FIGURES: readonly Figure[] = [
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
  gauge("disk.free_bytes", "Free on the data directory's disk", ({ status }) => {
    return status.diskFreeBytes;
  }),
  gauge("streams.known", "Emitters' streams ever seen", ({ journal }) => journal?.streams.streams),
  gauge("streams.gaps", "Missing ranges in all streams", ({ journal }) => journal?.streams.gaps),
  gauge("streams.missing_records", "Missing records in all streams", ({ journal }) => {
    return journal?.streams.missing;
  }),
  gauge(
    "streams.silent",
    "Streams of the last day that did not end and are not heard",
    (scrape) => {
      return scrape.silentStreams;
    },
  ),
  gauge("process.memory_bytes", "Resident memory", () => process.memoryUsage.rss()),
  gauge("process.uptime_seconds", "Time since the start", () => process.uptime()),
];

/** Reads when it is asked to, and sends nothing by itself. */
class ScrapedReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** The server's figures for `/metrics`, in the text form of OpenTelemetry's Prometheus exporter. */
export class Metrics {
  readonly #sources: MetricSources;
  readonly #reader: MetricReader;
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  #silent: { count: number | null; asOf: number } | null = null;

  constructor(sources: MetricSources) {
    this.#sources = sources;
    this.#reader = new ScrapedReader({ metricProducers: [syncDurations(sources)] });
    const meter = new MeterProvider({ readers: [this.#reader] }).getMeter(SCOPE.name);
    const instruments = new Map<Observable, Figure>();
    for (const figure of FIGURES) {
      const { kind, name, description } = figure;
      const instrument = meter[`createObservable${kind}`](`agent_audit.${name}`, { description });
      instruments.set(instrument, figure);
    }
    meter.addBatchObservableCallback(
      async (result) => {
        const scrape = await this.#scrape();
        for (const [instrument, { read }] of instruments) {
          const seen = read(scrape);
          if (typeof seen === "number") result.observe(instrument, seen);
          else for (const [n, attributes] of seen ?? []) result.observe(instrument, n, attributes);
        }
      },
      [...instruments.keys()],
    );
  }

  /** Writes every figure; those of a part that is not ready are left out. */
  async text(): Promise<string> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw errors[0];
    return this.#serializer.serialize(resourceMetrics);
  }

  async #scrape(): Promise<Scrape> {
    const { receiver, store, journal } = this.#sources;
    return {
      answers: receiver.answers,
      journal: journal(),
      status: await store.status(),
      silentStreams: await this.#silentStreams(),
    };
  }

  async #silentStreams(): Promise<number | null> {
    const now = performance.now();
    if (this.#silent === null || now - this.#silent.asOf >= SILENT_AGE_MILLIS) {
      this.#silent = { count: await this.#sources.silentStreams(), asOf: now };
    }
    return this.#silent.count;
  }
}

/** Gives the histogram that the journal's thread keeps: an instrument would want each duration. */
function syncDurations({ journal }: MetricSources): MetricProducer {
  const startTime = hrTime();
  return {
    collect: async () => {
      const counters = journal()?.counters;
      const metrics = counters === undefined ? [] : [syncHistogram(counters, startTime)];
      // The reader puts the server's own resource in its place.
      const resourceMetrics = {
        resource: emptyResource(),
        scopeMetrics: [{ scope: SCOPE, metrics }],
      };
      return { resourceMetrics, errors: [] };
    },
  };
}

function syncHistogram(
  { syncs, syncSeconds, syncBuckets }: Readonly<IngestCounters>,
  startTime: HrTime,
): HistogramMetricData {
  const buckets = { boundaries: SYNC_BUCKETS_SECONDS, counts: syncBuckets };
  return {
    descriptor: {
      name: "agent_audit.journal.sync_seconds",
      description: "Syncs of the journal",
      unit: "",
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: [
      {
        startTime,
        endTime: hrTime(),
        attributes: {},
        value: { buckets, sum: syncSeconds, count: syncs },
      },
    ],
  };
}

function hrTime(): HrTime {
  const millis = Date.now();
  return [Math.floor(millis / 1000), (millis % 1000) * 1e6];
}
