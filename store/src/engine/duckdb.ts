import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

// DuckDB's packages are CommonJS. `import` has Node search all their sources for names to export first, which
// takes 0.3 s of processor time at each start; `require` only runs them.

/** DuckDB's API. */
export const duckdb = require("@duckdb/node-api") as typeof import("@duckdb/node-api");

/** What is below the API, for what it does not offer: a column's bytes handed over at once. */
export const bindings = require("@duckdb/node-bindings") as typeof import("@duckdb/node-bindings");
