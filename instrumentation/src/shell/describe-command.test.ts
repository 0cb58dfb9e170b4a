import type { LogRecord } from "@opentelemetry/api-logs";
import { describe, expect, it } from "vitest";
import { createAuditor } from "../auditor.js";
import { type Command, describeCommand } from "./describe-command.js";

/** What is sent of a command. */
function sentOf(command: Command["command"]) {
  const records: LogRecord[] = [];
  const auditor = createAuditor({ logger: { emit: (record: LogRecord) => records.push(record) } });
  auditor.record(
    describeCommand({
      actorName: "build-bot",
      command,
      workingDirectory: "/",
      outcome: { kind: "exited", exitCode: 0 },
      startedAt: 1_700_000_000_000_000_000n,
      durationMillis: 1,
    }),
  );
  const { attributes = {}, body } = records[0] as LogRecord;
  return { text: JSON.stringify([body, attributes]), body: String(body), attributes };
}

describe("describeCommand", () => {
  it.each([
    ["curl", "-u", "bob:hunter2", "url"],
    ["curl", "-ubob:hunter2", "url"],
    ["curl", "--user", "bob:hunter2", "url"],
    ["curl", "--user=bob:hunter2", "url"],
    ["/usr/bin/curl", "-sSu", "bob:hunter2", "url"],
    ["curl", "-sSubob:hunter2", "url"],
    ["curl", "-U", "bob:hunter2", "url"],
    ["curl", "--proxy-user", "bob:hunter2", "url"],
    ["curl", "--proxy-user=bob:hunter2", "url"],
    ["curl", "-u", "bob:hunter2", "-U", "bob:hunter2", "url"],
    ["curl", "-u", "bob:a hunter2", "url"],
    ["curl", "-H", "X-Note: a|b;c", "-u", "bob:hunter2", "url"],
    ["sudo", "curl", "-u", "bob:hunter2", "url"],
    ["env", "A=1", "curl", "-u", "bob:hunter2", "url"],
    ["curl", "--oauth2-bearer", "hunter2", "url"],
    ["tool", "--accessToken", "hunter2", "url"],
    ["tool", "--authToken", "hunter2", "url"],
    ["tool", "--db_password", "hunter2", "url"],
    ["tool", "password", "=", "hunter2", "url"],
    ["tool", "Bearer", "hunter2hunter2", "url"],
  ])("keeps its secrets out of %s %s %s", (...args) => {
    const { text, body, attributes } = sentOf({ args });
    expect(text).not.toContain("hunter2");
    const items = attributes["process.command_args"] as string[];
    expect(body).toContain(JSON.stringify(items.join(" ")));
    expect(items.length).toBe(args.length);
    expect(items.at(-1)).toBe("url");
    expect(attributes["agent_audit.redacted"]).toContain("process.command_args");
  });

  it.each([
    ["curl -su bob:hunter2 url"],
    ["curl --proxy-user bob:hunter2 -U bob:hunter2 url"],
    ["tool --db_password hunter2 url"],
  ])("keeps its secrets out of the line %j", (line) => {
    expect(sentOf({ line }).text).not.toContain("hunter2");
  });

  it.each([
    ['DB_PASSWORD="correct horse" true', "true"],
    ["API_PIN='99 88' B=\\ x /bin/true -v", "true"],
    ['A="a \\" b"c\'d e\' true', "true"],
    ["A=1 B=2 true", "true"],
    ['API_PIN="99 88', "unknown"],
    ["API_PIN=9988", "unknown"],
    ["", "unknown"],
  ])("names the program of the line %j", (line, program) => {
    expect(sentOf({ line }).attributes["agent_audit.resource.id"]).toBe(program);
  });

  it("finds no program in linear time", () => {
    const begin = performance.now();
    sentOf({ line: `A="${"\\".repeat(100_000)}` });
    sentOf({ line: 'A="" '.repeat(50_000) });
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  it.each([
    [["curl", "-o", "out", "http://host:80/x"]],
    [["curl", "-XPUT", "http://host/x", "-L"]],
    [["docker", "run", "-u", "1000:1000", "image"]],
    [["git", "commit", "-m", "a message with spaces"]],
  ])("leaves %j as it is", (args) => {
    const { attributes } = sentOf({ args });
    expect(attributes["process.command_args"]).toEqual(args);
    expect(attributes["agent_audit.redacted"]).toBeUndefined();
  });
});
