import { describe, expect, it } from "vitest";
import { varintBytes } from "./backward-writer.js";
import { MalformedRequestError } from "./malformed-request-error.js";
import { readLogsRequest } from "./protobuf-reader.js";
import { LogsScanner } from "./scan.js";

const field = (number: number, ...parts: Uint8Array[]) => {
  const content = Buffer.concat(parts);
  return Buffer.concat([varintBytes((number << 3) | 2), varintBytes(content.length), content]);
};
const request = (...records: Buffer[]) =>
  field(1, field(2, ...records.map((record) => field(2, record))));
const text = (number: number, value: string) => field(number, Buffer.from(value));
const hex = (value: string) => Buffer.from(value, "hex");

const readOne = (record: Buffer) => {
  const bytes = request(record);
  expect(new LogsScanner().scan(bytes).starts.length).toBe(1);
  return readLogsRequest(bytes).resourceLogs[0]?.scopeLogs[0]?.logRecords[0];
};

/** An AnyValue that holds `depth - 1` nested arrays. */
const nested = (depth: number): Buffer =>
  depth === 1 ? text(1, "x") : field(5, field(1, nested(depth - 1)));

/** Groups of a field that nobody knows, each in the one before. */
const groups = (depth: number) => hex("7b".repeat(depth) + "7c".repeat(depth));

describe("readLogsRequest", () => {
  it.each([
    [
      "the last of a repeated scalar",
      Buffer.concat([text(12, "a"), text(12, "b")]),
      "eventName",
      "b",
    ],
    ["the last member of a oneof", field(5, text(1, "a"), hex("1007")), "body", true],
    [
      "a list after bytes",
      field(5, field(7, hex("01")), field(6, field(1, text(1, "k")))),
      "body",
      { values: [{ key: "k", value: null }] },
    ],
    [
      "an array after text",
      field(5, text(1, "a"), field(5, field(1, text(1, "b")))),
      "body",
      ["b"],
    ],
    ["merged bodies", Buffer.concat([field(5, text(1, "a")), field(5)]), "body", "a"],
    ["ten-byte negative enums", hex("10ffffffffffffffffff01"), "severityNumber", -1],
    [
      "a group that it does not know",
      Buffer.concat([hex("a306a306aa0600a406a406"), text(12, "e")]),
      "eventName",
      "e",
    ],
    ["groups that nest to 100", Buffer.concat([groups(100), text(12, "e")]), "eventName", "e"],
    ["an id of a wrong length as absent", field(9, hex("0102")), "traceId", ""],
    ["invalid UTF-8 as U+FFFD", field(12, hex("ff")), "eventName", "\ufffd"],
    ["all 32 bits of flags", hex("45ffffffff"), "flags", 0xffffffff],
  ] as const)("reads %s", (_, record, name, expected) => {
    expect(readOne(record)?.[name]).toEqual(expected);
  });

  it.each([
    ["a cut varint", hex("ff")],
    [
      "a varint past the end of its message",
      Buffer.concat([field(1, field(2, field(2, hex("3880")))), hex("01")]),
    ],
    ["a length past the end", hex("0a05")],
    ["field number 0", hex("0000")],
    ["a wrong wire type on a known field", field(1, field(2, hex("1001")))],
    ["a span sent as a log", request(field(1, Buffer.alloc(16, 1)))],
    ["a group that is not closed", hex("a306")],
    ["groups that nest deeper than 100", groups(101)],
    ["a varint of eleven bytes", hex("38ffffffffffffffffffff01")],
    ["a length of 2^40", hex("0a808080808040")],
  ])("refuses %s, and so does the scan", (_, bytes) => {
    expect(() => readLogsRequest(bytes)).toThrow(MalformedRequestError);
    expect(() => new LogsScanner().scan(bytes)).toThrow(MalformedRequestError);
  });
});

describe("LogsScanner", () => {
  it("gives up one record that nests deeper than 128 and keeps its neighbours", () => {
    const bytes = request(text(12, "a"), field(5, nested(129)), field(5, nested(128)));
    const scan = new LogsScanner().scan(bytes);
    expect(scan.starts.length).toBe(3);
    const reason = "an AnyValue nests deeper than 128";
    expect(scan.faults).toEqual([{ index: 1, code: "nesting_too_deep", reason }]);
  });

  it("survives nesting of 20,000", () => {
    let value: Buffer = text(1, "x");
    for (let i = 0; i < 20_000; i++) value = field(5, field(1, value));
    expect(new LogsScanner().scan(request(field(5, value))).faults.length).toBe(1);
  });
});
