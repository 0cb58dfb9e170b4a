import {
  type IngestCounters,
  type JournalClient,
  type Receiver,
  SYNC_BUCKETS_SECONDS,
} from "@agent-audit/collector";
import type { Store } from "@agent-audit/store";
import { type HrTime, type Observable, ValueType } from "@opentelemetry/api";
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
import { FIGURES, type Figure, type Scrape } from "./figures.js";

const SCOPE = { name: "agent-audit" };

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
  #silent: { count: number; asOf: number } | null = null;

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
      const count = await this.#sources.silentStreams();
      this.#silent = count === null ? null : { count, asOf: now };
    }
    return this.#silent?.count ?? null;
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
