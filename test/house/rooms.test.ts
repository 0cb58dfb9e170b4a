import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../support/start-server.js";

const LOADS = /(?:^|\n)(?:import|export)[^;]*?"([^"]+)";|\brequire\("([^"]+)"\)/g;

/** Follows a built file's static imports within the house; gives what it imports from elsewhere. */
function foreignImports(file: string, seen = new Set<string>()): Set<string> {
  const foreign = new Set<string>();
  if (seen.has(file)) return foreign;
  seen.add(file);
  const text = fs.readFileSync(file, "utf8");
  for (const [, imported, required] of text.matchAll(LOADS)) {
    const name = imported ?? required ?? "";
    const room = /^@agent-audit\/(\w+)$/.exec(name)?.[1];
    const next =
      room !== undefined
        ? path.join(ROOT, room, "dist/index.js")
        : name.startsWith(".")
          ? path.resolve(path.dirname(file), name)
          : null;
    if (next === null) foreign.add(name);
    else for (const other of foreignImports(next, seen)) foreign.add(other);
  }
  return foreign;
}

it("only the engine's own thread loads DuckDB: a start waits for each that does", () => {
  const loads = (file: string) =>
    [...foreignImports(path.join(ROOT, file))].some((name) => name.startsWith("@duckdb/"));
  expect(loads("store/dist/engine/engine-worker.js")).toBe(true);
  for (const file of ["cli/dist/server.js", "collector/dist/journal-worker.js"]) {
    expect(loads(file), file).toBe(false);
  }
});

it("in the query room only sql/ writes SQL", () => {
  const room = path.join(ROOT, "query/src");
  const writers = fs
    .readdirSync(room, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) =>
      /\b(SELECT|FROM|WHERE)\b/.test(fs.readFileSync(path.join(room, name), "utf8")),
    );
  expect(new Set(writers.map((name) => path.dirname(name)))).toEqual(new Set(["sql"]));
});
