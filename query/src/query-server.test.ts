import http from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startWithSample } from "../../test/support/sample-store.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

/** One server for the tests that only read. */
let reading: Awaited<ReturnType<typeof startWithSample>>;
beforeAll(async () => {
  reading = await startWithSample();
});

describe("the query API", () => {
  it("reports its state", async () => {
    const { get, store } = reading;
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
    const { server } = reading;
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
