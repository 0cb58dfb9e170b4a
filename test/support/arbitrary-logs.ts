import type {
  AnyValue,
  InstrumentationScope,
  KeyValue,
  LogRecord,
  LogsRequest,
  Resource,
} from "@agent-audit/otlp";
import fc from "fast-check";

/** Well-formed text with what breaks careless readers: NUL, quotes, astral characters, prototype keys. */
export const arbitraryText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("", "\u0000", '"\\', "__proto__", "constructor", "𝄞", "a\nb", "\ufeff"),
);

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
);

const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n),
);

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** Every kind of AnyValue, nested, with duplicate keys and empty values. */
export const arbitraryAnyValue: fc.Arbitrary<AnyValue> = fc.letrec<{ value: AnyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    arbitraryText,
    fc.boolean(),
    int64,
    fc.double(),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => new Uint8Array(bytes)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .array(fc.record({ key: arbitraryText, value: tie("value") }), { maxLength: 4 })
      .map((values) => ({ values })),
  ),
})).value;

const attributes: fc.Arbitrary<KeyValue[]> = fc.array(
  fc.record({ key: arbitraryText, value: arbitraryAnyValue }),
  { maxLength: 6 },
);

const hexId = (bytes: number) =>
  fc.oneof(
    fc.constant(""),
    fc
      .uint8Array({ minLength: bytes, maxLength: bytes })
      .filter((id) => id.some((byte) => byte !== 0))
      .map((id) => Buffer.from(id).toString("hex")),
  );

const arbitraryLogRecord: fc.Arbitrary<LogRecord> = fc.record({
  timeUnixNano: uint64,
  observedTimeUnixNano: uint64,
  severityNumber: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  severityText: arbitraryText,
  body: fc.option(arbitraryAnyValue, { nil: undefined, freq: 10 }),
  attributes,
  droppedAttributesCount: uint32,
  flags: uint32,
  traceId: hexId(16),
  spanId: hexId(8),
  eventName: arbitraryText,
});

const resource: fc.Arbitrary<Resource> = fc.record({ attributes, droppedAttributesCount: uint32 });

const scope: fc.Arbitrary<InstrumentationScope> = fc.record({
  name: arbitraryText,
  version: arbitraryText,
  attributes,
  droppedAttributesCount: uint32,
});

/** Any legal logs request, absent resources and scopes and empty groups included. */
export const arbitraryLogsRequest: fc.Arbitrary<LogsRequest> = fc.record({
  resourceLogs: fc.array(
    fc.record({
      resource: fc.option(resource),
      scopeLogs: fc.array(
        fc.record({
          scope: fc.option(scope),
          logRecords: fc.array(arbitraryLogRecord, { maxLength: 4 }),
          schemaUrl: arbitraryText,
        }),
        { maxLength: 3 },
      ),
      schemaUrl: arbitraryText,
    }),
    { maxLength: 3 },
  ),
});
