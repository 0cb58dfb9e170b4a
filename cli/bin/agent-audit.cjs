#!/usr/bin/env node
// DuckDB's queries, file reads and compression share libuv's pool of 4 threads, which only this line can
// enlarge: in an ES module it would come too late, after the pool exists.
// What `exec` and `mcp` run is given its environment as it was.
if (!["exec", "mcp"].includes(process.argv[2])) process.env.UV_THREADPOOL_SIZE ??= "16";

import("../dist/main.js").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND" || !String(error.message).includes("dist")) throw error;
  process.stderr.write("agent-audit is not built yet: run `npm run build` first\n");
  process.exitCode = 1;
});
