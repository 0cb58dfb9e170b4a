// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how the configuration file writes variables
import fs from "node:fs";
import path from "node:path";
import type { AuditError } from "@agent-audit/schema";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { shapeOf } from "./config-shape.js";
import { loadServerConfig, serverConfig } from "./server-config.js";

const load = (yaml: string, env: NodeJS.ProcessEnv = {}, options = {}) => {
  const file = path.join(temporaryDirectory(), "agent-audit.yaml");
  fs.writeFileSync(file, yaml);
  return { ...loadServerConfig({ config: file, ...options }, env), file };
};

/** The faults, without the file's directory. */
const faultsOf = (yaml: string, env: NodeJS.ProcessEnv = {}, options = {}): string[] => {
  try {
    load(yaml, env, options);
    return [];
  } catch (error) {
    const { code, message } = error as AuditError;
    expect(code).toBe("invalid_config");
    return message
      .split("\n")
      .slice(1)
      .map((line) => line.trim().replace(/\S*\/agent-audit\.yaml/, "FILE"));
  }
};

describe("loadServerConfig", () => {
  it("takes options before variables before the file before defaults", () => {
    const yaml = "data: file\notlp: { listen: 127.0.0.1:1 }\nhttp: { listen: 127.0.0.1:1 }\n";
    const env = { AGENT_AUDIT_OTLP: "127.0.0.1:2", AGENT_AUDIT_HTTP: "127.0.0.1:2" };
    const { config, originOf, file } = load(yaml, env, { http: "127.0.0.1:3" });
    expect(config).toMatchObject({
      data: "file",
      otlp: { listen: "127.0.0.1:2", max_body_bytes: 67_108_864 },
      http: { listen: "127.0.0.1:3" },
    });
    expect(originOf(["data"])).toBe(`${file}:1`);
    expect(originOf(["otlp", "listen"])).toBe("AGENT_AUDIT_OTLP");
    expect(originOf(["http", "listen"])).toBe("--http");
    expect(originOf(["otlp", "max_body_bytes"])).toBeNull();
  });

  it("lists every fault at once, with its place", () => {
    const yaml = [
      "dta: x",
      "engine: { threads: 0 }",
      "otlp:",
      "  listen: 0.0.0.0:4318",
      "  max_body_byte: 1",
      "  max_body_bytes: 100000",
      "  max_in_flight_bytes: 200000",
      "http: 7",
      "quarantine:",
      `  max_bytes_per_day: \${NOT_SET}`,
    ].join("\n");
    const faults = faultsOf(yaml, {}, { otlp: "nowhere" });
    expect(faults).toEqual([
      expect.stringContaining("FILE:10: the variable NOT_SET is not set"),
      expect.stringMatching(/^FILE:2: engine\.threads: /),
      expect.stringMatching(/^--otlp: otlp\.listen: "nowhere" is not HOST:PORT/),
      expect.stringMatching(/^FILE:5: otlp\.max_body_byte: unknown key; did you mean max_body_byt/),
      expect.stringMatching(/^FILE:7: otlp\.max_in_flight_bytes: must exceed max_body_bytes/),
      expect.stringMatching(/^FILE:10: quarantine\.max_bytes_per_day: /),
      expect.stringMatching(/^FILE:8: http: /),
      expect.stringMatching(/^FILE:1: dta: unknown key; did you mean data\?/),
    ]);
  });

  it.each([
    ["data: ${DIR}", { DIR: "/a" }, "/a"],
    ["data: ${DIR}/b", { DIR: "/a" }, "/a/b"],
    ["data: '${DIR}'", { DIR: "7" }, "7"],
    ["data: ${DIR:-/c}", {}, "/c"],
    ["data: $${DIR}", { DIR: "/a" }, "${DIR}"],
    ["data: ${DIR}", { DIR: "a: [b" }, "a: [b"],
  ])("replaces variables: %s with %o", (yaml, env, data) => {
    expect(load(yaml, env).config.data).toBe(data);
  });

  it("reads a plain variable as the number that it holds", () => {
    expect(load("engine:\n  threads: ${N}", { N: "3" }).config.engine.threads).toBe(3);
    expect(faultsOf('engine: { threads: "${N}" }', { N: "3" })).toHaveLength(1);
  });

  it.each([
    ["data: [", /flow/i],
    ["data: a\ndata: b", /unique/],
    ["- data", /expected object/],
  ])("refuses %j", (yaml, message) => {
    expect(() => load(yaml)).toThrow(message);
  });

  it("refuses a named file that is not there", () => {
    expect(() => loadServerConfig({ config: "/not/there.yaml" }, {})).toThrow(/ENOENT/);
  });
});

describe("docs/operating.md", () => {
  const page = fs.readFileSync(new URL("../../docs/operating.md", import.meta.url), "utf8");
  const section = page.slice(page.indexOf("## Configuration file"));
  const rows = [...section.matchAll(/^\| `([a-z_.]+)` \|(.*)\|$/gm)]
    .map(([, name = "", rest = ""]) => ({ name, cells: rest.split("|").map((c) => c.trim()) }))
    // Other tables of the page follow.
    .filter(({ cells }) => cells.length === 4);

  const options = (schema: unknown, value: unknown, prefix = ""): [string, unknown][] =>
    Object.entries(shapeOf(schema) ?? {}).flatMap(([key, option]) => {
      const name = `${prefix}${key}`;
      const at = (value as Record<string, unknown> | undefined)?.[key];
      return shapeOf(option) === undefined ? [[name, at]] : options(option, at, `${name}.`);
    });

  it("lists every option of the configuration and no other", () => {
    const known = options(serverConfig, loadServerConfig({}, {}).config).map(([name]) => name);
    expect(rows.map(({ name }) => name).sort()).toEqual(known.sort());
  });

  it.each(rows)("says type, unit, default and consequence of $name", ({ name, cells }) => {
    for (const cell of cells) expect(cell).not.toBe("");
    const defaults = new Map(options(serverConfig, loadServerConfig({}, {}).config));
    const value = defaults.get(name);
    if (value === undefined) return;
    const text = typeof value === "number" ? value.toLocaleString("en-US") : `\`${value}\``;
    expect(cells[2]).toContain(text);
  });
});
