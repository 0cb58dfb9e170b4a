// npm run bench [-- --only NAME] [--quick]: see bench/README.md.
import os from "node:os";
import { benchDecode } from "./decode.mjs";
import { benchIngest } from "./ingest.mjs";
import { benchLatency } from "./latency.mjs";
import { benchQuery } from "./query.mjs";
import { benchSize } from "./size.mjs";
import { benchStart } from "./start.mjs";

const BENCHES = {
  ingest: benchIngest,
  latency: benchLatency,
  decode: benchDecode,
  size: benchSize,
  start: benchStart,
  query: benchQuery,
};

const args = process.argv.slice(2);
const quick = args.includes("--quick");
const only = args.includes("--only") ? args[args.indexOf("--only") + 1] : null;
if (only !== null && !Object.hasOwn(BENCHES, only)) {
  console.error(`there is no benchmark ${only}; there are: ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}

console.log(
  `${os.cpus()[0]?.model}, ${os.availableParallelism()} cores, Node ${process.version}${quick ? ", quick" : ""}`,
);
for (const [name, bench] of Object.entries(BENCHES)) {
  if (only !== null && name !== only) continue;
  console.log(`\n${name}`);
  for (const { what, perSecond, note } of await bench(quick)) {
    const rate = perSecond === null ? "-" : `${Math.round(perSecond).toLocaleString("en")} /s`;
    console.log(`  ${what.padEnd(34)} ${rate.padStart(14)}   ${note}`);
  }
}
