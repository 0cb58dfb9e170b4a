import childProcess from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { cleanUp } from "../support/clean-up.js";
import { otlpSink } from "../support/otlp-sink.js";
import { LAUNCHER } from "../support/start-server.js";

/** Starts `agent-audit mcp` in front of a server. */
function mcp(server: readonly string[], endpoint: string, options: readonly string[] = []) {
  const child = childProcess.spawn(
    process.execPath,
    [LAUNCHER, "mcp", "--endpoint", endpoint, ...options, "--", ...server],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  cleanUp(() => void child.kill("SIGKILL"));
  child.stdin.on("error", () => {});
  const exited = once(child, "exit").then(([code, signal]) => code ?? signal);
  return { child, exited };
}

/** Answers every line that it can read in any way, and the last one even if nothing ends it. */
const LENIENT_SERVER = [
  process.execPath,
  "-e",
  `let text = "";
  process.stdin.on("data", (chunk) => { text += chunk; }).on("end", () => {
    for (const line of text.split(/[\\r\\n]+/).filter(Boolean)) {
      const id = /"id":(\\d+)/.exec(line)?.[1];
      process.stdout.write('{"id":' + id + ',"result":{"mean":NaN}}\\r\\n');
    }
  });`,
];

describe("mcp", () => {
  it("records every call that a lenient server carries out", async () => {
    const { url, bodies } = await otlpSink();
    const { child, exited } = mcp(LENIENT_SERVER, url);
    const call = (id: number, rest = "") =>
      `{"id":${id},"method":"tools/call","params":{"name":"tool-${id}"}${rest}}`;
    child.stdin.end(`${call(1)}\r${call(2, ',"x":NaN')}\n${call(3, ',"x":nan')}\n${call(4)}`);
    expect(await exited).toBe(0);
    const sent = bodies.join();
    for (const id of [1, 2, 4]) expect(sent).toMatch(new RegExp(`tool-${id} -> success`));
    expect(sent).toMatch(/could not be read \(\d+ bytes\)/);
    expect(sent).not.toContain("server_exit");
  });

  it("records no arguments and results where content is off", async () => {
    const { url, bodies } = await otlpSink();
    const { child, exited } = mcp(LENIENT_SERVER, url, ["--no-content"]);
    const params = { name: "tool-1", arguments: { text: "confidential" } };
    child.stdin.end(JSON.stringify({ id: 1, method: "tools/call", params }));
    expect(await exited).toBe(0);
    expect(bodies.join()).toMatch(/tool-1 -> success/);
    expect(bodies.join()).toContain("arguments_sha256");
    expect(bodies.join()).not.toMatch(/confidential|gen_ai.tool.call/);
  });

  it("ends with its server, though a child of that holds the streams open", async () => {
    const { url } = await otlpSink();
    const { exited } = mcp(["sh", "-c", "sleep 30 & exit 3"], url);
    const begin = performance.now();
    expect(await exited).toBe(3);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });

  it("ends at a signal once its server has ended, though its streams never rest", async () => {
    const { url } = await otlpSink();
    const restless = "while echo {}; do sleep 0.05; done";
    const { child, exited } = mcp(["sh", "-c", `(${restless}) & echo $$; exit 3`], url);
    const [pid] = (await once(child.stdout, "data")) as [Buffer];
    child.stdout.resume();
    await expect.poll(() => isRunning(Number.parseInt(String(pid), 10))).toBe(false);
    child.kill("SIGTERM");
    expect(await exited).toBe(3);
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
