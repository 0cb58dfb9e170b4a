import http from "node:http";
import type { AuditEvent } from "@agent-audit/schema";
import { beforeAll, describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

const HOUR = 3_600_000_000_000n;
/** 2026-11-23T00:00:00Z */
const DAY_START = 1_795_392_000_000_000_000n;

const llm = (cost: number | undefined, change: Partial<AuditEvent> = {}) =>
  sampleEvent({
    source: "llm-proxy",
    eventName: "agent_audit.llm.request",
    actionType: "llm_request",
    action: "chat m-1",
    time: DAY_START + 5n * HOUR,
    usage: {
      model: "m-1",
      provider: "p",
      inputTokens: 100,
      outputTokens: 10,
      ...(cost === undefined ? {} : { cost, currency: "USD" }),
    },
    ...change,
  });

const EVENTS: AuditEvent[] = [
  sampleEvent({
    id: "first",
    time: DAY_START + 123_456_789n,
    duration: 2_100_000_000n,
    result: "failure",
    errorType: "1",
    exitCode: 1,
    agent: { id: "agt_1", name: "build-bot" },
    user: { id: "u_42" },
    resource: { type: "process", id: "npm" },
    description: 'build-bot ran "npm test" -> exit 1 (2.1 s)',
    org: { id: "org_1" },
    project: { id: "prj_9" },
    stream: { id: "s", sequence: 1287 },
    content: { "agent_audit.process.stdout": "hello" },
    metadata: { "process.command_args": ["npm", "test"], big: 2n ** 60n },
  }),
  sampleEvent({ id: "second", time: DAY_START + HOUR, duration: 18_000_000n, action: "100% *" }),
  sampleEvent({ id: "third", time: DAY_START + HOUR, duration: 20_000_000n, statusCode: 403 }),
  llm(1.000000001),
  llm(0.25),
  llm(undefined),
  sampleEvent({
    id: "beat",
    source: "system",
    eventName: "agent_audit.heartbeat",
    time: DAY_START + 6n * HOUR,
  }),
];
const START = { ...sampleEvent({ id: "start", phase: "start", operationId: "op" }) };
delete (START as { result?: string }).result;

type Started = Awaited<ReturnType<typeof startQuery>>;

const started = async (): Promise<Started> => {
  const server = await startQuery(temporaryDirectory());
  server.append(sampleBody(...EVENTS, START), EVENTS.length + 1);
  await server.settle();
  return server;
};

describe("GET /api/v1/events", () => {
  it("gives an event in the documented shape", async () => {
    const { get, store } = await started();
    const { body } = await get("/api/v1/events?action_type=shell_exec&result=failure");
    expect(body.next_cursor).toBeNull();
    expect(body.events).toEqual([
      {
        id: "first",
        seq: 1,
        time: "2026-11-23T00:00:00.123456789Z",
        time_source: "timestamp",
        observed_time: null,
        received_time: expect.stringMatching(/^20\d\d-.*Z$/),
        duration_ms: 2100,
        actor: { type: "agent", id: "agt_1", name: "build-bot" },
        agent: { id: "agt_1", name: "build-bot" },
        user: { id: "u_42" },
        source: "shell",
        event_name: "agent_audit.shell.command",
        action_type: "shell_exec",
        action: "shell_exec",
        resource: { type: "process", id: "npm" },
        result: "failure",
        error_type: "1",
        status_code: null,
        exit_code: 1,
        decision: null,
        description: 'build-bot ran "npm test" -> exit 1 (2.1 s)',
        org: { id: "org_1" },
        project: { id: "prj_9" },
        trace_id: null,
        span_id: null,
        conversation_id: null,
        usage: null,
        redacted: [],
        phase: null,
        operation_id: null,
        stream: { id: "s", sequence: 1287 },
        key_id: null,
        metadata: {
          "process.command_args": ["npm", "test"],
          "process.exit.code": 1,
          big: "1152921504606846976",
        },
      },
    ]);
    expect(store.position.appliedSeq).toBe(8n);
  });

  it.each([
    ["", 6],
    ["result=failure&result=success", 6],
    ["not_result=failure", 5],
    ["agent=agt_1", 6],
    ["agent_name=build-bot", 1],
    ["source=system", 1],
    ["system=true", 7],
    ["phase=start", 1],
    ["phase=start&phase=end&phase=", 7],
    ["phase=end&phase=", 6],
    ["exit_code=-2147483648", 0],
    ["status_code=403", 1],
    ["not_status_code=403", 5],
    ["exit_code=1", 1],
    ["org=", 5],
    ["not_org=", 1],
    ["resource_id=np*", 1],
    ["resource_id=*", 1],
    ["action=100%25 \\*", 1],
    ["action=100%25 *", 1],
    ["action=100%25 \\**", 1],
    ["action=\\*00", 0],
    ["model=m-1", 3],
    ["service_name=sample", 6],
    ["q=NPM", 1],
    ["q=%25", 1],
    ["q=_", 2],
    ["attr.process.command_args=x", 0],
    ["attr.big=1152921504606846976", 1],
    ["attr.http.response.status_code=403", 1],
    ["attr.gen_ai.provider.name=p*", 3],
    ["attr.service.name=sample", 6],
    ["not_attr.gen_ai.provider.name=p", 3],
    ["attr.no/such~key=", 6],
    ["attr.agent_audit.cost.amount=0.25", 1],
    ["attr.agent_audit.redacted=", 6],
    ["from=2026-11-23T01:00:00Z&to=2026-11-23T05:00:00Z", 2],
    ["from=2026-11-23T02:00:00%2B01:00&to=2026-11-23T05:00:00Z", 2],
    ["to=9999-12-31T23:59:59Z", 6],
    ["from=1960-01-01T00:00:00Z", 6],
    ["from=now-999999w", 6],
    ["to=2026-11-23T00:00:00.123456789Z", 0],
    ["to=2026-11-23T00:00:00.12345679Z", 1],
    ["action_type=%27%3B+DROP+TABLE+events%3B--", 0],
  ])("finds with ?%s %i events", async (query, count) => {
    const { get } = await shared();
    const { body } = await get(`/api/v1/events?${query}`);
    expect(body.events?.length, JSON.stringify(body)).toBe(count);
  });

  it.each([
    ["limit=201", "invalid_limit", /from 1 to 200/],
    ["limit=0", "invalid_limit", /./],
    ["sorce=shell", "unknown_parameter", /did you mean source\?/],
    ["not_sorce=shell", "unknown_parameter", /did you mean not_source\?/],
    [
      "not_phase=end",
      "unknown_parameter",
      /unknown parameter not_phase see|did you mean not_(?!phase)/,
    ],
    ["source=fax", "invalid_source", /use one of mcp-tool/],
    ["status_code=abc", "invalid_status_code", /./],
    ["from=yesterday", "invalid_from", /RFC 3339/],
    ["last=1h&from=now-1h", "invalid_last", /leave one out/],
    ["last=0m", "invalid_last", /./],
    ["from=2026-02-31T00:00:00Z", "invalid_from", /no time/],
    ["cursor=abc", "invalid_cursor", /./],
    ["order=up", "invalid_order", /desc, asc, seq/],
    ["limit=1&limit=2", "invalid_limit", /once/],
    ["min_seq=99", "invalid_min_seq", /./],
    ["phase=middle", "invalid_phase", /start or end/],
  ])("refuses ?%s with %s", async (query, code, text) => {
    const { get } = await shared();
    const { status, body } = await get(`/api/v1/events?${query}`);
    expect([status, body.error.code]).toEqual([400, code]);
    expect(`${body.error.message} ${body.error.hint}`).toMatch(text);
  });

  it("names no parameter that the endpoint does not take", async () => {
    const { get } = await shared();
    for (const path of ["export?source=shell", "status?from=now", "events/first?source=shell"]) {
      const { status, body } = await get(`/api/v1/${path}`);
      expect([status, body.error.code], path).toEqual([400, "unknown_parameter"]);
      expect(body.error.hint, path).not.toMatch(/source|from/);
    }
  });

  it("finds costs as they are shown", async () => {
    const { append, settle, get } = await startQuery(temporaryDirectory());
    const costs = [0.00005, 5, 12.5, 0.000000001];
    append(sampleBody(...costs.map((cost) => llm(cost))), costs.length);
    await settle();
    for (const cost of ["0.00005", "5", "12.5", "0.000000001"]) {
      const { body } = await get(`/api/v1/events?attr.agent_audit.cost.amount=${cost}`);
      expect(body.events.length, cost).toBe(1);
    }
  });

  it("finds a word whatever its last sigma looks like", async () => {
    const { append, settle, get } = await startQuery(temporaryDirectory());
    append(sampleBody(sampleEvent({ description: "οδος" }), sampleEvent({ action: "ΟΔΟΣ" })), 2);
    await settle();
    for (const q of ["οδος", "ΟΔΟΣ", "οδοσ"]) {
      const { body } = await get(`/api/v1/events?q=${encodeURIComponent(q)}`);
      expect(body.events.length, q).toBe(2);
    }
  });

  it.each(["desc", "asc", "seq"])(
    "walks all pages in order %s, each event once, while more arrive",
    async (order) => {
      const server = await started();
      const seqs: number[] = [];
      let cursor = "";
      for (let page = 0; page < 10; page++) {
        const { body } = await server.get(`/api/v1/events?limit=2&order=${order}${cursor}`);
        seqs.push(...body.events.map(({ seq }: { seq: number }) => seq));
        if (body.next_cursor === null) break;
        cursor = `&cursor=${body.next_cursor}`;
        server.append(sampleBody(sampleEvent({ time: DAY_START + 2n * HOUR })), 1);
        await server.settle();
      }
      expect(seqs).toEqual(
        { desc: [6, 5, 4, 3, 2, 1], asc: [1, 2, 3, 4, 5, 6], seq: [1, 2, 3, 4, 5, 6] }[order],
      );
    },
  );

  it("refuses a cursor from another filter", async () => {
    const { get } = await shared();
    const { body } = await get("/api/v1/events?limit=1");
    const other = await get(`/api/v1/events?limit=1&source=shell&cursor=${body.next_cursor}`);
    expect(other.body.error.code).toBe("cursor_mismatch");
  });

  it("lets pollers go on after the last sequence", async () => {
    const { get } = await shared();
    const { body } = await get("/api/v1/events?order=seq&after_seq=4");
    expect(body.events.map(({ seq }: { seq: number }) => seq)).toEqual([5, 6]);
  });

  it("adds captured content only when asked", async () => {
    const { get } = await shared();
    const { body } = await get("/api/v1/events?exit_code=1&fields=content");
    expect(body.events[0].content).toEqual({ "agent_audit.process.stdout": "hello" });
  });
});

describe("GET /api/v1/events/{id}", () => {
  it("gives content and the record as it was received", async () => {
    const { get } = await shared();
    for (const id of ["first", "seq:1"]) {
      const { body } = await get(`/api/v1/events/${id}`);
      expect(body.content).toEqual({ "agent_audit.process.stdout": "hello" });
      expect(body.conflicts).toEqual([]);
      expect(body.raw.log_record.timeUnixNano).toBe("1795392000123456789");
      expect(body.raw.resource.attributes[0].key).toBe("service.name");
      expect(body.raw.scope).toBeNull();
    }
  });

  it("names other records of the same id", async () => {
    const server = await started();
    server.append(sampleBody(sampleEvent({ id: "first" })), 1);
    await server.settle();
    expect((await server.get("/api/v1/events/first")).body.conflicts).toEqual([9]);
  });

  it.each([
    ["nothing", 404, "not_found"],
    ["seq:99", 404, "not_found"],
    ["x".repeat(513), 400, "invalid_id"],
  ])("refuses %.20s", async (id, status, code) => {
    const { get } = await shared();
    const answer = await get(`/api/v1/events/${id}`);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });
});

describe("GET /api/v1/aggregate", () => {
  it("counts, times, adds up tokens and costs by group", async () => {
    const { get } = await shared();
    const { body } = await get("/api/v1/aggregate?by=source&by=result&limit=2");
    expect(body.groups.map(({ key, count }: never) => [key, count])).toEqual([
      [{ source: "llm-proxy", result: "success" }, 3],
      [{ source: "shell", result: "success" }, 2],
    ]);
    expect(body.groups[0]).toMatchObject({
      success_count: 3,
      failure_count: 0,
      error_count: 0,
      input_tokens: 300,
      output_tokens: 30,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      bytes: 0,
      duration_ms: { avg: null, p50: null, p95: null, max: null },
      cost: [{ currency: "USD", amount: 1.250000001, unpriced_count: 1 }],
    });
    expect(body.groups[1].duration_ms).toEqual({ avg: 19, p50: 19, p95: 19.9, max: 20 });
    expect(body.other).toMatchObject({ count: 1, failure_count: 1, cost: [] });
    expect(body.total).toMatchObject({ count: 6, duration_ms: { max: 2100 } });
    expect(body.applied_seq).toBe(8);
  });

  it("has groups of events that lack the field, and groups by number", async () => {
    const { get } = await shared();
    const { body } = await get("/api/v1/aggregate?by=status_code&by=agent");
    expect(body.groups.map(({ key, count }: never) => [key, count])).toEqual([
      [{ status_code: null, agent: "agt_1" }, 5],
      [{ status_code: 403, agent: "agt_1" }, 1],
    ]);
    expect(body.other).toBeNull();
  });

  it.each(["", "by=x", "by=source&by=source", "by=source&order_by=x"])(
    "refuses ?%s",
    async (query) => {
      const { get } = await shared();
      expect((await get(`/api/v1/aggregate?${query}`)).status).toBe(400);
    },
  );

  it("answers an empty store", async () => {
    const { get } = await startQuery(temporaryDirectory());
    const { body } = await get("/api/v1/aggregate?by=source");
    expect(body).toMatchObject({ groups: [], other: null, total: { count: 0, cost: [] } });
    expect((await get("/api/v1/events")).body).toEqual({ events: [], next_cursor: null });
    expect((await get("/api/v1/facets")).body.total).toBe(0);
    expect((await get("/api/v1/timeseries")).body.buckets).toEqual([]);
  });
});

describe("GET /api/v1/facets", () => {
  it("gives the five breakdowns", async () => {
    const { get } = await shared();
    const { body } = await get("/api/v1/facets");
    expect(body).toEqual({
      facets: {
        source: [
          { value: "llm-proxy", count: 3 },
          { value: "shell", count: 3 },
        ],
        actor_type: [{ value: "agent", count: 6 }],
        result: [
          { value: "success", count: 5 },
          { value: "failure", count: 1 },
        ],
        action_type: [
          { value: "llm_request", count: 3 },
          { value: "shell_exec", count: 3 },
        ],
        resource_type: [
          { value: null, count: 5 },
          { value: "process", count: 1 },
        ],
      },
      total: 6,
      applied_seq: 8,
    });
  });
});

describe("GET /api/v1/timeseries", () => {
  it("fills empty buckets, splits, and carries tokens and cost", async () => {
    const { get } = await shared();
    const { body } = await get(
      "/api/v1/timeseries?interval=hour&by=source&limit=1&from=2026-11-22T23:30:00Z&to=2026-11-23T06:00:00Z",
    );
    expect(body).toMatchObject({ interval: "hour", tz: "UTC", applied_seq: 8 });
    expect(body.buckets.map(({ start, count }: never) => [start, count])).toEqual([
      ["2026-11-22T23:00:00Z", 0],
      ["2026-11-23T00:00:00Z", 1],
      ["2026-11-23T01:00:00Z", 2],
      ["2026-11-23T02:00:00Z", 0],
      ["2026-11-23T03:00:00Z", 0],
      ["2026-11-23T04:00:00Z", 0],
      ["2026-11-23T05:00:00Z", 3],
    ]);
    expect(body.buckets[6]).toMatchObject({
      input_tokens: 300,
      cost: [{ currency: "USD", amount: 1.250000001, unpriced_count: 1 }],
      groups: [{ key: { source: "llm-proxy" }, count: 3 }],
      other: null,
    });
    expect(body.buckets[1]).toMatchObject({ groups: [], other: { count: 1, failure_count: 1 } });
  });

  it.each([
    "interval=0m",
    "interval=month",
    "tz=Mars/Olympus",
    "by=x",
    "interval=1m&from=2020-01-01T00:00:00Z&to=now",
  ])("refuses ?%s", async (query) => {
    const { get } = await shared();
    expect((await get(`/api/v1/timeseries?${query}`)).status).toBe(400);
  });
});

describe("the query API", () => {
  it("reports its state", async () => {
    const { get, store } = await shared();
    expect((await get("/api/v1/status")).body).toEqual({
      version: "0.0.0-test",
      store_id: store.storeId,
      journal_seq: 8,
      applied_seq: 8,
      segments: [
        { day: expect.stringMatching(/^20/), state: "open", rows: 8, bytes: expect.any(Number) },
      ],
      journal_bytes: expect.any(Number),
      disk_free_bytes: expect.any(Number),
      uptime_seconds: expect.any(Number),
    });
    expect((await get("/")).body.endpoints.events).toMatch("/api/v1/events");
    expect((await get("/nowhere")).body.error.code).toBe("not_found");
  });

  it("answers about itself while the engine catches up, and about events later", async () => {
    let isCaughtUp = false;
    const { get, append, settle } = await startQuery(
      temporaryDirectory(),
      undefined,
      () => isCaughtUp,
    );
    append(sampleBody(sampleEvent()), 1);
    await settle();
    const answers = ["status", "quarantine", "events", "facets", "export"];
    const statuses = async () =>
      await Promise.all(answers.map(async (path) => (await get(`/api/v1/${path}`)).status));
    expect(await statuses()).toEqual([200, 200, 503, 503, 503]);
    expect((await get("/api/v1/events")).body.error.code).toBe("starting");
    isCaughtUp = true;
    expect(await statuses()).toEqual([200, 200, 200, 200, 200]);
  });

  it("refuses a foreign Host and a foreign Origin", async () => {
    const { server } = await shared();
    for (const headers of [{ Host: "evil.example" }, { Origin: "https://evil.example" }]) {
      const status = await new Promise((resolve) => {
        const url = `${server.url}/api/v1/events`;
        http.get(url, { headers: headers as http.OutgoingHttpHeaders }, (response) =>
          resolve(response.resume().statusCode),
        );
      });
      expect(status).toBe(403);
    }
  });
});

/** One server for the tests that only read. */
let reading: Started | undefined;
const shared = async (): Promise<Started> => reading as Started;
beforeAll(async () => {
  reading = await started();
});
