import childProcess from "node:child_process";
import { once } from "node:events";
import { cleanUp } from "./clean-up.js";

/** Runs in a process of its own: what the test does meanwhile must not count as the server's delay. */
const PROBE = `
const http = require("node:http");
const agent = new http.Agent({ keepAlive: true });
const waits = [];
let isDone = false;
process.on("message", () => { isDone = true; });
const ask = () => new Promise((resolve, reject) => {
  const begin = performance.now();
  http.get(process.argv[1], { agent }, (response) => {
    response.resume();
    response.on("end", () => {
      waits.push(response.statusCode === 200 ? performance.now() - begin : Infinity);
      resolve();
    });
  }).on("error", reject);
});
(async () => {
  await ask();
  process.send("ready");
  while (!isDone) {
    await ask();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  agent.destroy();
  process.send(waits.sort((a, b) => a - b));
  process.disconnect();
})();
`;

/** Asks a server for `/healthz` while `work` runs, and gives how long the answers took. */
export async function healthDuring<T>(
  endpoint: string,
  work: () => Promise<T>,
): Promise<{ p99Millis: number; maxMillis: number; result: T }> {
  const probe = childProcess.spawn(process.execPath, ["-e", PROBE, `${endpoint}/healthz`], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  cleanUp(() => probe.kill("SIGKILL"));
  await once(probe, "message");
  const result = await work();
  const answered = once(probe, "message") as Promise<[number[]]>;
  probe.send("done");
  const [waits] = await answered;
  return {
    result,
    p99Millis: waits[Math.floor(waits.length * 0.99)] as number,
    maxMillis: waits.at(-1) as number,
  };
}
