import { describe, expect, it } from "vitest";
import { readLogsRequestJson } from "./json-reader.js";
import { MalformedRequestError } from "./malformed-request-error.js";

const body = (...records: string[]) =>
  Buffer.from(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[${records.join(",")}]}]}]}`);

const readOne = (record: string) => {
  const logs = readLogsRequestJson(body(record));
  return { ...logs, record: logs.request.resourceLogs[0]?.scopeLogs[0]?.logRecords[0] };
};

const nested = (depth: number) =>
  `{"body":${'{"arrayValue":{"values":['.repeat(depth - 1)}{"intValue":1}${"]}}".repeat(depth - 1)}}`;

describe("readLogsRequestJson", () => {
  it("evaluates no number of millions of digits", () => {
    const begin = performance.now();
    const digits = 16_000_000;
    for (const [number, expected] of [
      [`"${"9".repeat(digits)}"`, 0n],
      [`${"9".repeat(digits)}.0`, 0n],
      [`"${"0".repeat(digits)}7"`, 7n],
    ] as const) {
      const { record, repaired } = readOne(`{"timeUnixNano":${number}}`);
      expect([record?.timeUnixNano, repaired]).toEqual([expected, expected === 0n ? [0] : []]);
    }
    // Evaluated, each takes four seconds.
    expect(performance.now() - begin).toBeLessThan(5 * 1000);
  });

  it("looks for no known name in one of millions of underscores", () => {
    const begin = performance.now();
    const { record } = readOne(`{"${"_a".repeat(4_000_000)}":1,"event_name":"e"}`);
    expect(record?.eventName).toBe("e");
    // Replaced, they take seconds and hundreds of megabytes.
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  it.each([
    [
      "64-bit integers as strings",
      '{"timeUnixNano":"18446744073709551615"}',
      "timeUnixNano",
      2n ** 64n - 1n,
    ],
    [
      "64-bit integers as numbers, at full precision",
      '{"timeUnixNano":1790000000123456789}',
      "timeUnixNano",
      1790000000123456789n,
    ],
    ["integers in exponent form", '{"timeUnixNano":1.79e18}', "timeUnixNano", 1790000000000000000n],
    ["snake_case names", '{"observed_time_unix_nano":"7"}', "observedTimeUnixNano", 7n],
    ["null as unset", '{"timeUnixNano":null,"attributes":null}', "attributes", []],
    ["an empty AnyValue", '{"body":{}}', "body", null],
    ["a null body", '{"body":null}', "body", undefined],
    ["enum names", '{"severityNumber":"SEVERITY_NUMBER_ERROR2"}', "severityNumber", 18],
    ["unknown enum names as 0", '{"severityNumber":"LOUD"}', "severityNumber", 0],
    ["ids in upper case", '{"spanId":"00F067AA0BA902B7"}', "spanId", "00f067aa0ba902b7"],
    ["ids of a wrong length as absent", '{"spanId":"00f0"}', "spanId", ""],
    ["ids of zeros as absent", '{"spanId":"0000000000000000"}', "spanId", ""],
    ["NaN", '{"body":{"doubleValue":"NaN"}}', "body", Number.NaN],
    ["doubles as strings", '{"body":{"doubleValue":"-1.5e3"}}', "body", -1500],
    [
      "a null double, which the JS SDK sends for NaN",
      '{"body":{"doubleValue":null}}',
      "body",
      null,
    ],
    [
      "URL-safe base64 without padding",
      '{"body":{"bytesValue":"-_8"}}',
      "body",
      new Uint8Array([251, 255]),
    ],
    ["int64 beyond 2^53", '{"body":{"intValue":"-9223372036854775808"}}', "body", -(2n ** 63n)],
    [
      "escapes, NUL included",
      '{"body":{"stringValue":"a\\u0000\\n\\ud834\\udd1e"}}',
      "body",
      "a\u0000\n𝄞",
    ],
    [
      "unknown fields of any depth",
      `{"x":${"[".repeat(9999)}${"]".repeat(9999)},"eventName":"e"}`,
      "eventName",
      "e",
    ],
    [
      "__proto__ as an ordinary key",
      '{"__proto__":{"eventName":"x"},"eventName":"e"}',
      "eventName",
      "e",
    ],
  ] as const)("reads %s", (_, record, field, expected) => {
    const { record: read, faults } = readOne(record);
    expect(faults).toEqual([]);
    expect(read?.[field]).toEqual(expected);
  });

  it.each([
    [
      "an intValue out of range as a double",
      '{"body":{"intValue":"9223372036854775808"}}',
      "body",
      2 ** 63,
    ],
    ["a time out of range as unset", '{"timeUnixNano":"-1"}', "timeUnixNano", 0n],
    ["a lone surrogate as U+FFFD", '{"body":{"stringValue":"\\ud800"}}', "body", "\ufffd"],
  ] as const)("keeps %s and flags the record", (_, record, field, expected) => {
    const read = readOne(record);
    expect(read.record?.[field]).toEqual(expected);
    expect(read.repaired).toEqual([0]);
  });

  it.each([
    ["attributes that are no array", '{"attributes":{}}'],
    ["a boolean in quotes", '{"body":{"boolValue":"true"}}'],
    ["text where an integer belongs", '{"body":{"intValue":"many"}}'],
    ["bytes that are not base64", '{"body":{"bytesValue":"!"}}'],
    ["a record that is no object", "7"],
    ["nesting of 129", nested(129)],
    ["nesting of 100,000", nested(100_000)],
  ])("gives up one record for %s and keeps its neighbours", (_, record) => {
    const logs = readLogsRequestJson(body('{"eventName":"a"}', record, '{"eventName":"b"}'));
    const names = logs.request.resourceLogs[0]?.scopeLogs[0]?.logRecords.map((r) => r.eventName);
    expect(names).toEqual(["a", "b"]);
    expect(logs.faults).toMatchObject([{ index: 1, text: record }]);
  });

  it("keeps nesting of 128", () => {
    expect(readOne(nested(128)).faults).toEqual([]);
  });

  it("tolerates a byte order mark and flags invalid UTF-8", () => {
    const bytes = Buffer.concat([
      Buffer.from('\uFEFF{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"'),
      Buffer.from([0xff]),
      Buffer.from('"}]}]}]}'),
    ]);
    const logs = readLogsRequestJson(bytes);
    expect(logs.request.resourceLogs[0]?.scopeLogs[0]?.logRecords[0]?.eventName).toBe("\ufffd");
    expect(logs.repaired).toEqual([0]);
  });

  it.each([
    ["nothing", ""],
    ["text", "hello"],
    ["a cut body", '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"a"'],
    ["text after the end", "{} {}"],
    ["a number alone", "7"],
    ["resourceLogs that is no array", '{"resourceLogs":{}}'],
    ["a resource that is no object", '{"resourceLogs":[{"resource":"x"}]}'],
    [
      "a syntax fault inside a record",
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":tru}]}]}]}',
    ],
    ["200,000 open arrays", "[".repeat(200_000)],
  ])("refuses %s as malformed", (_, text) => {
    expect(() => readLogsRequestJson(Buffer.from(text))).toThrow(MalformedRequestError);
  });
});
