import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryLogsRequest } from "../../test/support/arbitrary-logs.js";
import { decodeWithProtobufjs, encodeWithProtobufjs } from "../../test/support/protobufjs-logs.js";
import { readLogsRequest } from "./protobuf-reader.js";
import { writeLogsRequest } from "./protobuf-writer.js";
import { LogsScanner } from "./scan.js";

describe("the protobuf reader and writer, beside protobufjs", () => {
  it("read what protobufjs wrote", () => {
    fc.assert(
      fc.property(arbitraryLogsRequest, (request) => {
        expect(readLogsRequest(encodeWithProtobufjs(request))).toEqual(request);
      }),
    );
  });

  it("write what protobufjs reads", () => {
    fc.assert(
      fc.property(arbitraryLogsRequest, (request) => {
        expect(decodeWithProtobufjs(writeLogsRequest(request))).toEqual(request);
      }),
    );
  });

  it("agree, reader with scan, on whether mutated bytes are a request, and never fail otherwise", () => {
    const mutation = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(
        arbitraryLogsRequest,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (request, mutations) => {
          const bytes = Buffer.from(writeLogsRequest(request));
          for (const { at, byte } of mutations)
            if (bytes.length > 0) bytes[at % bytes.length] = byte;
          const outcome = (read: () => unknown) => {
            try {
              read();
              return "read";
            } catch (error) {
              return (error as { code?: string }).code;
            }
          };
          const scanned = outcome(() => new LogsScanner().scan(bytes));
          expect(["read", "malformed_protobuf"]).toContain(scanned);
          expect(outcome(() => readLogsRequest(bytes))).toBe(scanned);
        },
      ),
      { numRuns: 1000, endOnFailure: true },
    );
  });
});
