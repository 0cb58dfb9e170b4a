import { beforeAll, describe, expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { FIELDS } from "./fields.js";

const EVENTS = 3;

/** URL-encoded: some of it is no text that JavaScript could hold. */
const HOSTILE = [
  "' OR 1=1 --",
  "'; DROP TABLE events; --",
  '") UNION ALL SELECT * FROM position --',
  "1); ATTACH '/etc/passwd' AS x; --",
  "$1",
  "?",
  "*",
  "\\*",
  "\\",
  "%",
  "NULL",
  "__proto__",
  "constructor",
  "[0]",
  "{}",
  "-1",
  "1e309",
  "\u202e",
]
  .map(encodeURIComponent)
  .concat(["%00", "%ED%A0%80", "%FF", "x".repeat(5000)]);

const SHARED = [
  ...Object.keys(FIELDS),
  ...Object.keys(FIELDS).map((name) => `not_${name}`),
  ...["from", "to", "last", "q", "system", "phase", "unfinished", "min_seq"],
  ...["attr.k", "not_attr.k", "attr.k'%5D--", "attr.%22", "attr.__proto__", "attr.%00", "attr.~/*"],
  ...["__proto__", "constructor", "toString", "not_", "attr.", "'--", "events"],
];

const OWN: Record<string, string[]> = {
  events: ["limit", "order", "cursor", "after_seq", "fields"],
  "aggregate?by=source": ["by", "limit", "order_by"],
  facets: ["limit"],
  timeseries: ["interval", "by", "tz", "limit"],
  export: ["format", "after_seq"],
  quarantine: ["limit", "cursor"],
  status: ["x"],
};

describe("hostile text in any parameter", () => {
  let server: Awaited<ReturnType<typeof startQuery>>;
  beforeAll(async () => {
    server = await startQuery(temporaryDirectory());
    const events = Array.from({ length: EVENTS }, () => sampleEvent({ metadata: { k: "v" } }));
    server.append(sampleBody(...events), EVENTS);
    await server.settle();
  });

  const ask = async (route: string) => {
    const response = await fetch(`${server.server.url}/api/v1/${route}`);
    return { status: response.status, text: await response.text() };
  };

  it.each(Object.entries(OWN))(
    "of /%s is a value or a clear 400, and nothing else",
    async (endpoint, own) => {
      const takesFilters = !/export|quarantine|status/.test(endpoint);
      const names = [...own, ...(takesFilters ? SHARED : [])];
      for (const [index, name] of names.entries()) {
        // Filters are read in one place, and printed in one: beside /events, each with another part of what is tried.
        const isTriedElsewhere = endpoint !== "events" && SHARED.includes(name);
        for (const value of HOSTILE.filter((_, i) => !isTriedElsewhere || i % 4 === index % 4)) {
          const route = `${endpoint}${endpoint.includes("?") ? "&" : "?"}${name}=${value}`;
          const { status, text } = await ask(route);
          expect([200, 400], `${route}: ${text}`).toContain(status);
          if (status === 400) expect(JSON.parse(text).error.code, route).toMatch(/^[a-z_]+/);
          else if (Object.hasOwn(FIELDS, name) && value !== "*" && endpoint === "events") {
            expect(JSON.parse(text).events, route).toEqual([]);
          }
        }
      }
      expect(server.errors).toEqual([]);
      expect(JSON.parse((await ask("facets")).text).total).toBe(EVENTS);
    },
  );

  it("in an event's id finds nothing", async () => {
    for (const value of HOSTILE) {
      const { status, text } = await ask(`events/${value}`);
      expect([400, 404], `${value}: ${text}`).toContain(status);
    }
    expect(server.errors).toEqual([]);
  });
});
