import childProcess from "node:child_process";
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { describePeer } from "../support/describe-peer.js";
import { startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const execFile = promisify(childProcess.execFile);

/** One resource, one scope and records that have every kind of value, in OTLP/JSON. */
const RECORDS = fileURLToPath(new URL("records.json", import.meta.url));

interface Sdk {
  peer: string;
  tools: string[];
  command: (built: string) => string[];
  protocols: string[];
  /** What the SDK has no way to send, as its program reports it. */
  unsupported: (protocol: string) => string[];
}

const SDKS: Sdk[] = [
  {
    peer: "js-sdk",
    tools: ["bash"],
    command: (built) => [process.execPath, built, RECORDS],
    protocols: ["http/protobuf", "http/json"],
    unsupported: (protocol) => [
      ...["int.beyond_double", "int.max", "int.min", "array.ints", "records.4.body"],
      ...["double.whole", "double.zero", "double.large", "records.5.timeUnixNano", "scope.string"],
      ...(protocol === "http/json"
        ? ["double.nan", "double.infinity", "double.negative_infinity"]
        : []),
    ],
  },
  {
    peer: "python-sdk",
    tools: ["bash", "python3"],
    command: (built) => [
      built,
      fileURLToPath(new URL("peers/python-sdk/send_logs.py", import.meta.url)),
      RECORDS,
    ],
    protocols: ["http/protobuf", "http/json"],
    unsupported: () => [],
  },
  {
    peer: "go-sdk",
    tools: ["bash", "go"],
    command: (built) => [built, RECORDS],
    protocols: ["http/protobuf"],
    unsupported: () => [],
  },
  {
    peer: "java-sdk",
    tools: ["bash", "java", "javac", "mvn"],
    command: (built) => ["java", "-cp", built, "SendLogs", RECORDS],
    protocols: ["http/protobuf"],
    unsupported: () => ["scope.string"],
  },
];

for (const { peer, tools, command, protocols, unsupported } of SDKS) {
  describePeer(peer, tools, (built) => {
    for (const protocol of protocols) {
      it.each(["gzip", "none"])(
        `delivers every value over ${protocol}, compression %s`,
        async (compression) => {
          const server = await startServer(temporaryDirectory());
          const [program = "", ...args] = command(built());
          const env = {
            PATH: process.env.PATH,
            OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: server.otlpUrl,
            OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: protocol,
            OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: compression,
          };
          const { stdout } = await execFile(program, args, { env });
          const report = JSON.parse(stdout);
          console.log(report.sdk);
          const leftOut = unsupported(protocol).sort();
          expect(Object.keys(report.unsupported).sort()).toEqual(leftOut);
          const response = await fetch(`${server.apiUrl}/api/v1/export?format=otlp&after_seq=0`);
          const lines = (await response.text()).trim().split("\n");
          expect(lines.length).toBe(1);
          const arrived = JSON.parse(lines[0] as string);
          expect(comparable(arrived, leftOut)).toEqual(comparable(whatTheFileSays(), leftOut));
        },
      );
    }
  });
}

/** The request that the file stands for. */
function whatTheFileSays() {
  const { resource, scope, records } = JSON.parse(fs.readFileSync(RECORDS, "utf8"));
  return { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: records }] }] };
}

interface KeyValue {
  key: string;
}

/**
 * Brings a request into a form in which two can be compared: without what the SDK cannot send, by attribute key
 * or as `records.INDEX.FIELD`; sorted, as some SDKs do; without the empty body that all send where none was given.
 */
function comparable(value: unknown, leftOut: readonly string[], path = ""): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item, i) => comparable(item, leftOut, `records.${i}`)) as KeyValue[];
    if (!items.every((item) => typeof item?.key === "string")) return items;
    return items
      .filter(({ key }) => !leftOut.includes(key))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value)
    .filter(([name]) => !leftOut.includes(`${path}.${name}`))
    .map(([name, field]) => [name, comparable(field, leftOut)] as const)
    .filter(([name, field]) => name !== "body" || Object.keys(field as object).length > 0)
    .filter(([, field]) => !Array.isArray(field) || field.length > 0);
  return Object.fromEntries(fields);
}
