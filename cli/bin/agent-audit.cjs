#!/usr/bin/env node
// DuckDB's queries, file reads and compression share libuv's pool of 4 threads, which only this line can
// enlarge: in an ES module it would come too late, after the pool exists.
// What `exec` and `mcp` run is given its environment as it was.
if (!["exec", "mcp"].includes(process.argv[2])) process.env.UV_THREADPOOL_SIZE ??= "16";

if (process.argv[2] === "serve" && process.platform === "linux") makeYieldingPool(start);
else start();

function start() {
  import("../dist/main.js").catch((error) => {
    if (error.code !== "ERR_MODULE_NOT_FOUND" || !String(error.message).includes("dist"))
      throw error;
    process.stderr.write("agent-audit is not built yet: run `npm run build` first\n");
    process.exitCode = 1;
  });
}

/**
 * Has the pool made by a thread of low priority, which its threads, and DuckDB's, inherit: where cores are short, acknowledging comes
 * before answers. No thread but the first that needs the pool can say so, and none takes back a priority without privileges.
 */
function makeYieldingPool(next) {
  const { Worker } = require("node:worker_threads");
  const code = `
    try {
      // On Linux id 0 is the calling thread.
      require("node:os").setPriority(0, 10);
    } catch {
      // Not permitted here: everything works, with less headroom for ingest.
    }
    require("node:fs").stat(".", () => {});
  `;
  // What hinders it changes nothing but the priority.
  new Worker(code, { eval: true }).on("error", () => {}).once("exit", () => next());
}
