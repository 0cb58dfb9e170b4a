import { beforeAll, describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { DAY_START, HOUR, llmCall, startWithSample } from "../../test/support/sample-store.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

/** One server for the tests that only read. */
let reading: Awaited<ReturnType<typeof startWithSample>>;
beforeAll(async () => {
  reading = await startWithSample();
});

describe("GET /api/v1/events", () => {
  it("gives an event in the documented shape", async () => {
    const { get, store } = await startWithSample();
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
    const { get } = reading;
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
    const { get } = reading;
    const { status, body } = await get(`/api/v1/events?${query}`);
    expect([status, body.error.code]).toEqual([400, code]);
    expect(`${body.error.message} ${body.error.hint}`).toMatch(text);
  });

  it("names no parameter that the endpoint does not take", async () => {
    const { get } = reading;
    for (const path of ["export?source=shell", "status?from=now", "events/first?source=shell"]) {
      const { status, body } = await get(`/api/v1/${path}`);
      expect([status, body.error.code], path).toEqual([400, "unknown_parameter"]);
      expect(body.error.hint, path).not.toMatch(/source|from/);
    }
  });

  it("finds costs as they are shown", async () => {
    const { append, settle, get } = await startQuery(temporaryDirectory());
    const costs = [0.00005, 5, 12.5, 0.000000001];
    append(sampleBody(...costs.map((cost) => llmCall(cost))), costs.length);
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
      const server = await startWithSample();
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
    const { get } = reading;
    const { body } = await get("/api/v1/events?limit=1");
    const other = await get(`/api/v1/events?limit=1&source=shell&cursor=${body.next_cursor}`);
    expect(other.body.error.code).toBe("cursor_mismatch");
  });

  it("lets pollers go on after the last sequence", async () => {
    const { get } = reading;
    const { body } = await get("/api/v1/events?order=seq&after_seq=4");
    expect(body.events.map(({ seq }: { seq: number }) => seq)).toEqual([5, 6]);
  });

  it("adds captured content only when asked", async () => {
    const { get } = reading;
    const { body } = await get("/api/v1/events?exit_code=1&fields=content");
    expect(body.events[0].content).toEqual({ "agent_audit.process.stdout": "hello" });
  });
});

describe("GET /api/v1/events/{id}", () => {
  it("gives content and the record as it was received", async () => {
    const { get } = reading;
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
    const server = await startWithSample();
    server.append(sampleBody(sampleEvent({ id: "first" })), 1);
    await server.settle();
    expect((await server.get("/api/v1/events/first")).body.conflicts).toEqual([9]);
  });

  it.each([
    ["nothing", 404, "not_found"],
    ["seq:99", 404, "not_found"],
    ["x".repeat(513), 400, "invalid_id"],
  ])("refuses %.20s", async (id, status, code) => {
    const { get } = reading;
    const answer = await get(`/api/v1/events/${id}`);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });
});
