import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryLogsRequest } from "../../test/support/arbitrary-logs.js";
import { readLogsRequestJson } from "./json-reader.js";
import { writeLogsRequestJson } from "./json-writer.js";
import type { LogRecord, LogsRequest } from "./logs.js";
import { readLogsRequest } from "./protobuf-reader.js";
import { writeLogsRequest } from "./protobuf-writer.js";
import { LogsScanner } from "./scan.js";
import { spliceLogsRequest } from "./splice.js";

const recordsOf = (request: LogsRequest): LogRecord[] =>
  request.resourceLogs.flatMap((group) => group.scopeLogs.flatMap((scope) => scope.logRecords));

describe("the OTLP logs readers and writers", () => {
  it("give back every request that went through protobuf", () => {
    fc.assert(
      fc.property(arbitraryLogsRequest, (request) => {
        expect(readLogsRequest(writeLogsRequest(request))).toEqual(request);
      }),
    );
  });

  it("give back every request that went through JSON", () => {
    fc.assert(
      fc.property(arbitraryLogsRequest, (request) => {
        const { request: read, faults } = readLogsRequestJson(
          Buffer.from(writeLogsRequestJson(request)),
        );
        expect(faults).toEqual([]);
        expect(read).toEqual(request);
      }),
    );
  });

  it("find each record where the full reader finds it", () => {
    fc.assert(
      fc.property(arbitraryLogsRequest, (request) => {
        const bytes = writeLogsRequest(request);
        const scan = new LogsScanner(["__proto__"], ["__proto__"]).scan(bytes);
        expect(scan.faults).toEqual([]);
        expect(scan.starts.length).toBe(recordsOf(request).length);
        recordsOf(request).forEach((record, index) => {
          const hasKey = record.attributes.some(({ key }) => key === "__proto__");
          expect(scan.watched[index * 2] !== -1).toBe(hasKey);
        });
        const groupOf = request.resourceLogs.flatMap(({ scopeLogs }, group) =>
          scopeLogs.flatMap(({ logRecords }) => logRecords.map(() => group)),
        );
        expect(scan.groups).toEqual(groupOf);
        request.resourceLogs.forEach(({ resource }, group) => {
          const hasKey = resource?.attributes.some(({ key }) => key === "__proto__") ?? false;
          expect(scan.watchedOfGroups[group * 2] !== -1).toBe(hasKey);
        });
      }),
    );
  });

  it("splice out the records that are not wanted and nothing else", () => {
    fc.assert(
      fc.property(arbitraryLogsRequest, fc.array(fc.boolean()), (request, mask) => {
        let index = 0;
        const wanted: LogsRequest = {
          resourceLogs: request.resourceLogs.map((group) => ({
            ...group,
            scopeLogs: group.scopeLogs.map((scope) => ({
              ...scope,
              logRecords: scope.logRecords.filter(() => mask[index++] ?? true),
            })),
          })),
        };
        const bytes = spliceLogsRequest(writeLogsRequest(request), (i) => mask[i] ?? true);
        expect(readLogsRequest(bytes)).toEqual(wanted);
      }),
    );
  });
});
