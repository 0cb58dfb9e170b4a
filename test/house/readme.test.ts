import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const README = fs.readFileSync(path.join(ROOT, "README.md"), "utf8");
const lines = README.split("\n");

describe("the README", () => {
  it("has its two commands by line 20 and ends by line 120", () => {
    expect(lines.slice(0, 20)).toContain("npm ci && npm run demo");
    expect(lines.slice(0, 20)).toContain("npm ci && npm test");
    expect(lines.length).toBeLessThanOrEqual(121);
  });

  it("asks questions and sends records that a server takes", async () => {
    const server = await startServer(temporaryDirectory());
    const questions = [...README.matchAll(/^curl 'http:\/\/127\.0\.0\.1:8318([^']+)'/gm)];
    expect(questions.length).toBe(3);
    for (const [, question] of questions) {
      expect((await fetch(`${server.apiUrl}${question}`)).status, question).toBe(200);
    }
    const body = /-d '(\{"resourceLogs[^']+)'/.exec(README)?.[1] ?? "";
    const headers = { "Content-Type": "application/json" };
    const sent = await fetch(server.otlpUrl, { method: "POST", headers, body });
    expect([sent.status, await sent.text()]).toEqual([200, "{}"]);
    const { events } = await server.get("events?agent=agt_1");
    expect(events).toMatchObject([{ event_name: "app.deploy", description: "deployed" }]);
  });

  it("links to pages that exist", () => {
    for (const [, target = ""] of README.matchAll(/\]\(([^)#]+)\)/g)) {
      expect(fs.existsSync(path.join(ROOT, target)), target).toBe(true);
    }
  });
});
