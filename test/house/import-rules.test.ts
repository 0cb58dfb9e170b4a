import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** Lints one file in an otherwise empty copy of the house, by the rules of `npm run check`. */
function lint(file: string, imported: string) {
  const house = temporaryDirectory();
  const rules = JSON.parse(fs.readFileSync(path.join(ROOT, "biome.json"), "utf8"));
  fs.writeFileSync(path.join(house, "biome.json"), JSON.stringify({ ...rules, vcs: undefined }));
  const source = `import { x } from "${imported}";\n\nexport const y: unknown = x;\n`;
  fs.mkdirSync(path.dirname(path.join(house, file)), { recursive: true });
  fs.writeFileSync(path.join(house, file), source);
  const biome = path.join(ROOT, "node_modules/.bin/biome");
  return childProcess.spawnSync(biome, ["check", file], { cwd: house, encoding: "utf8" });
}

describe("npm run check", () => {
  it("runs the linter over the whole house", () => {
    const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
    expect(scripts.check).toContain("biome check");
  });

  it.each([
    ["otlp/src/a.ts", "@agent-audit/schema"],
    ["schema/src/a.ts", "@agent-audit/store"],
    ["instrumentation/src/a.ts", "@agent-audit/collector"],
    ["instrumentation/src/mcp/a.ts", "@duckdb/node-api"],
    ["proxy/src/a.ts", "@agent-audit/otlp"],
    ["access/src/a.ts", "@agent-audit/store"],
    ["store/src/a.ts", "@agent-audit/query"],
    ["store/src/journal/a.ts", "@duckdb/node-api"],
    ["collector/src/a.ts", "@agent-audit/query"],
    ["query/src/a.ts", "@agent-audit/collector"],
    ["query/src/a.ts", "@duckdb/node-bindings"],
    ["cli/src/a.ts", "@duckdb/node-api"],
  ])("fails when %s imports %s", (file, imported) => {
    const { status, stdout, stderr } = lint(file, imported);
    expect(`${stdout}${stderr}`).toContain("noRestrictedImports");
    expect(status).toBe(1);
  });

  it.each([
    ["schema/src/a.ts", "@agent-audit/otlp"],
    ["store/src/engine/a.ts", "@duckdb/node-api"],
    ["query/src/a.ts", "@agent-audit/store"],
    ["cli/src/a.ts", "@agent-audit/query/client"],
  ])("lets %s import %s", (file, imported) => {
    const { status, stdout, stderr } = lint(file, imported);
    expect(`${stdout}${stderr}`).not.toContain("noRestrictedImports");
    expect(status).toBe(0);
  });
});
