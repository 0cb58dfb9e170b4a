import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** Stands in an answer for a value that differs from server to server. */
const ANY = "…";

const page = fs.readFileSync(path.join(ROOT, "docs/query-api.md"), "utf8");

/** Commands of the page and the answers below them. */
const EXAMPLES = [
  ...page.matchAll(/```sh\ncurl -s '([^']+)'\n```\n\n```json\n([\s\S]*?)\n```/g),
].map(([, url = "", answer = ""]) => ({ url, answer }));

/** Replaces by `…` what the page leaves open. */
function open(documented: unknown, given: unknown): unknown {
  if (documented === ANY) return given === undefined ? undefined : ANY;
  if (Array.isArray(documented) && Array.isArray(given)) {
    return given.map((value, i) => open(documented[i], value));
  }
  if (isObject(documented) && isObject(given)) {
    return Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, open(documented[name], value)]),
    );
  }
  return given;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

describe("the examples of docs/query-api.md", () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    server = await startServer(temporaryDirectory());
    const send = async (body: string | Buffer) => {
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch(server.otlpUrl, {
        method: "POST",
        headers,
        body: new Uint8Array(Buffer.from(body)),
      });
      expect(answer.status).toBe(200);
      return Number(answer.headers.get("agent-audit-seq"));
    };
    const seq = await send(fs.readFileSync(path.join(ROOT, "examples/four-events.json")));
    // What the page's example of the quarantine shows.
    await send('{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":"none"}]}]}]}');
    expect((await fetch(`${server.apiUrl}/api/v1/events?min_seq=${seq}`)).status).toBe(200);
  });
  afterAll(async () => {
    await server.stop();
  });

  it("are there for every endpoint that answers with JSON", () => {
    const paths = EXAMPLES.map(({ url }) => new URL(url).pathname.replace(/^\/api\/v1\//, ""));
    for (const name of [
      "events",
      "aggregate",
      "facets",
      "timeseries",
      "export",
      "quarantine",
      "status",
    ]) {
      expect(paths).toContain(name);
    }
    expect(paths.some((name) => name.startsWith("events/"))).toBe(true);
  });

  it.each(EXAMPLES)("$url", async ({ url, answer }) => {
    const { pathname, search } = new URL(url);
    const given = await (await fetch(`${server.apiUrl}${pathname}${search}`)).json();
    const documented = JSON.parse(answer);
    expect(open(documented, given)).toEqual(documented);
  });
});
