import { beforeAll, describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

const NANOS_PER_MINUTE = 60_000_000_000n;
const NOW = BigInt(Date.now()) * 1_000_000n;

/** An event with all that has no parameter of its own, one without, one of an hour ago, one whose clock is wrong. */
async function startServer() {
  const { append, settle, get } = await startQuery(temporaryDirectory());
  const full = sampleEvent({
    id: "full",
    time: NOW - NANOS_PER_MINUTE,
    duration: 1_500_000_000n,
    agent: { id: "agt_1", name: "build-bot", version: "2.1" },
    user: { id: "u_1", name: "Ada", email: "ada@example.org" },
    org: { id: "org_1", name: "Acme" },
    operationId: "op_1",
    stream: { id: "s", sequence: 7 },
    content: { "gen_ai.tool.call.arguments": "rm -rf", "gen_ai.tool.call.result": "x/y" },
  });
  const others = [
    sampleEvent({ id: "bare", time: NOW - NANOS_PER_MINUTE }),
    sampleEvent({ id: "old", time: NOW - 60n * NANOS_PER_MINUTE }),
    sampleEvent({ id: "far", time: 2n ** 64n - 1n }),
  ];
  append(sampleBody(full, ...others), 4);
  await settle();
  const idsOf = async (query: string): Promise<string[]> => {
    const { body } = await get(`/api/v1/events?order=seq&${query}`);
    return body.events.map(({ id }: { id: string }) => id);
  };
  return { get, idsOf, append, settle };
}

describe("filters", () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    server = await startServer();
  });

  it.each([
    ["user.email", "ada@example.org"],
    ["user.name", "Ada"],
    ["gen_ai.agent.version", "2.1"],
    ["agent_audit.org.name", "Acme"],
    ["agent_audit.operation.id", "op_1"],
    ["agent_audit.stream.sequence", "7"],
    ["agent_audit.duration", "1.5"],
    ["gen_ai.tool.call.arguments", "rm -rf"],
    ["gen_ai.tool.call.result", "x/y"],
  ])("find the attribute %s, wherever it is stored", async (key, value) => {
    const { idsOf } = server;
    const name = `attr.${key}`;
    expect(await idsOf(`${name}=${encodeURIComponent(value)}`)).toEqual(["full"]);
    expect(await idsOf(`not_${name}=`)).toEqual(["full"]);
    expect(await idsOf(`${name}=`)).toEqual(["bare", "old", "far"]);
  });

  it("`last` ends now, whatever clocks senders have", async () => {
    const { get, idsOf } = server;
    expect(await idsOf("last=15m")).toEqual(["full", "bare"]);
    const { body } = await get("/api/v1/timeseries?interval=1m&last=10m");
    const counts = body.buckets.map(({ count }: { count: number }) => count);
    expect(counts.length).toBeGreaterThanOrEqual(11);
    expect(counts.reduce((sum: number, count: number) => sum + count)).toBe(2);
    expect(Date.parse(body.buckets.at(-1).start)).toBeGreaterThan(Date.now() - 120_000);
  });

  it("a lone star matches any number, other prefixes none", async () => {
    const { get, idsOf } = server;
    expect(await idsOf("exit_code=*")).toEqual([]);
    expect(await idsOf("not_exit_code=*")).toEqual(["full", "bare", "old", "far"]);
    const { status, body } = await get("/api/v1/events?status_code=4*");
    expect([status, body.error.message]).toEqual([
      400,
      "status_code=4* is a prefix, which numbers do not have",
    ]);
  });

  it("may be long together", async () => {
    const { idsOf } = server;
    const values = Array.from({ length: 12 }, (_, i) => `action=${i}${"x".repeat(4_000)}`);
    expect(await idsOf(values.join("&"))).toEqual([]);
  });

  it("conflicts are named by sequence, too", async () => {
    const { get, append, settle } = await startServer();
    append(sampleBody(sampleEvent({ id: "full" })), 1);
    await settle();
    for (const [name, conflicts] of Object.entries({ full: [5], "seq:1": [5], "seq:5": [1] })) {
      expect((await get(`/api/v1/events/${name}`)).body.conflicts, name).toEqual(conflicts);
    }
  });
});
