// Makes the benchmarks' data: unique audit records of all seven surfaces, about 1 KB of protobuf each,
// from a seed, in gzip'ed batches.
import zlib from "node:zlib";
import { writeLogsRequest } from "@agent-audit/otlp";
import { toLogRecord } from "@agent-audit/schema";

const START = 1_790_000_000_000_000_000n;

const SURFACES = [
  ["llm-proxy", "agent_audit.llm.request", "llm_request", "gen_ai.model"],
  ["mcp-tool", "agent_audit.mcp.tool_call", "tool_call", "mcp.tool"],
  ["shell", "agent_audit.shell.command", "shell_exec", "process"],
  ["forward-proxy", "agent_audit.http.request", "http_request", "http.endpoint"],
  ["k8s-proxy", "agent_audit.k8s.request", "k8s_request", "k8s.pods"],
  ["sandbox", "agent_audit.sandbox.file", "file_write", "file"],
  ["aws-proxy", "agent_audit.aws.request", "aws_request", "aws.s3.object"],
];

/** A small seeded generator (mulberry32): the same seed gives the same data everywhere. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Words for captured content, so that it compresses as text does. */
const WORDS =
  "the of error file pod request build test agent cache index value run at line in".split(" ");

/** Late by up to two days. */
const MAX_LATE = 2 * 86_400e9;

/**
 * Makes `batches` gzip'ed requests of `size` records.
 *
 * @param first number of the first record: event times count from it
 * @param stepNano time between two records
 * @param lateShare share of the records that arrive up to two days late
 * @param contentShare share of the records with 4 to 64 KB of captured output, short ones more often
 */
export function generateBatches({
  batches,
  size,
  seed = 1,
  first = 0,
  stepNano = 1_000_000n,
  lateShare = 0,
  contentShare = 0,
}) {
  const random = randomFrom(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const output = () => {
    const length = 4096 + Math.floor(random() ** 4 * 61_440);
    let text = "";
    while (text.length < length)
      text += `${pick(WORDS)} ${Math.floor(random() * 1e6)} ${pick(WORDS)} `;
    return text;
  };
  const skewed = (n) => Math.floor(random() ** 3 * n);
  const hex = (digits) =>
    Array.from({ length: digits / 8 }, () =>
      Math.floor(random() * 0x1_0000_0000)
        .toString(16)
        .padStart(8, "0"),
    ).join("");
  const stream = `bench-${process.pid}-${Date.now()}`;
  let sequence = 0;
  const timeOf = () => {
    const time = START + BigInt(first + sequence) * stepNano;
    return random() < lateShare ? time - BigInt(Math.floor(random() * MAX_LATE)) : time;
  };
  const record = () => {
    sequence++;
    const time = timeOf();
    const [source, eventName, actionType, resourceType] = SURFACES[skewed(SURFACES.length)];
    const agent = `agt_${skewed(500)}`;
    const fate = random();
    const isFailure = fate < 0.05;
    const isError = fate >= 0.05 && fate < 0.06;
    return toLogRecord({
      id: `${stream}-${sequence}`,
      time,
      observedTime: time + 1000n,
      duration: BigInt(Math.floor(random() * 3e9)),
      eventName,
      source,
      actionType,
      action: `tool/${skewed(2000)}`,
      actor: { type: "agent", id: agent, name: `builder ${agent}` },
      agent: { id: agent },
      resource: { type: resourceType, id: `res/${skewed(20_000)}` },
      result: isFailure ? "failure" : isError ? "error" : "success",
      ...(isFailure ? { errorType: "403" } : isError ? { errorType: "timeout" } : {}),
      description: `${agent} did ${sequence}`,
      statusCode: isFailure ? 403 : 200,
      org: { id: "org_1" },
      project: { id: `prj_${skewed(20)}` },
      traceId: `1${hex(32).slice(1)}`,
      spanId: `1${hex(16).slice(1)}`,
      stream: { id: stream, sequence },
      usage: {
        requestModel: random() < 0.5 ? "m-large" : "m-small",
        inputTokens: Math.floor(random() * 9000),
        outputTokens: Math.floor(random() * 900),
        ...(random() < 0.9 ? { cost: Math.floor(random() * 1e8) / 1e9, currency: "USD" } : {}),
      },
      ...(random() < contentShare ? { content: { "agent_audit.process.stdout": output() } } : {}),
      metadata: { "agent_audit.content.arguments_sha256": hex(64) },
    });
  };
  let bytes = 0;
  const bodies = Array.from({ length: batches }, () => {
    const body = writeLogsRequest({
      resourceLogs: [
        {
          resource: {
            attributes: [{ key: "service.name", value: "bench" }],
            droppedAttributesCount: 0,
          },
          scopeLogs: [
            { scope: null, logRecords: Array.from({ length: size }, record), schemaUrl: "" },
          ],
          schemaUrl: "",
        },
      ],
    });
    bytes += body.length;
    return zlib.gzipSync(body, { level: 1 });
  });
  return { bodies, records: sequence, bytesPerRecord: Math.round(bytes / sequence) };
}
