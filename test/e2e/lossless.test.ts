import {
  type LogsRequest,
  readLogsRequestJson,
  writeLogsRequest,
  writeLogsRequestJson,
} from "@agent-audit/otlp";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryLogsRequest } from "../support/arbitrary-logs.js";
import { startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";

/** Gives each record a name of its own, so that none is taken for a retry of another. */
const distinct = (requests: LogsRequest[], prefix: string): LogsRequest[] => {
  let n = 0;
  const copy = structuredClone(requests);
  for (const record of recordsOf(copy)) record.eventName = `${prefix}${n++}`;
  return copy;
};
const recordsOf = (requests: LogsRequest[]) =>
  requests.flatMap(({ resourceLogs }) =>
    resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords)),
  );

describe("GET /api/v1/export?format=otlp", () => {
  it("gives back every record: values, types, order, resource and scope, whatever the encoding", async () => {
    const server = await startServer(temporaryDirectory());
    const post = async (type: string, body: Uint8Array | string) => {
      const headers = { "Content-Type": type };
      const answer = await fetch(server.otlpUrl, { method: "POST", headers, body: body as string });
      expect(answer.status).toBe(200);
    };
    const exported = async (afterSeq: number) => {
      const url = `${server.apiUrl}/api/v1/export?format=otlp&after_seq=${afterSeq}`;
      const text = await (await fetch(url)).text();
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => readLogsRequestJson(Buffer.from(line)).request);
    };
    let run = 0;
    let seq = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryLogsRequest, { maxLength: 3 }), async (generated) => {
        const sent = [PROTOBUF, JSON_TYPE].flatMap((type) =>
          distinct(generated, `${type}-${run++}-`).map((request) => ({ type, request })),
        );
        for (const { type, request } of sent) {
          await post(
            type,
            type === PROTOBUF
              ? new Uint8Array(writeLogsRequest(request))
              : writeLogsRequestJson(request),
          );
        }
        const stored = sent.map(({ request }) => request).filter((r) => recordsOf([r]).length > 0);
        expect(await exported(seq)).toEqual(stored);
        const records = recordsOf(stored);
        if (records.length > 1) {
          expect(recordsOf(await exported(seq + 1))).toEqual(records.slice(1));
        }
        seq += records.length;
      }),
      { numRuns: 60 },
    );
    const refused = await fetch(`${server.apiUrl}/api/v1/export?format=csv`);
    expect(refused.status).toBe(400);
  });
});
