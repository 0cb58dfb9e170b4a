import childProcess from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cleanUp } from "./clean-up.js";

/** The committed launcher of the command line. */
export const LAUNCHER = fileURLToPath(new URL("../../cli/bin/agent-audit.cjs", import.meta.url));
export const ROOT = path.resolve(fileURLToPath(new URL("../..", import.meta.url)));

/**
 * Starts `agent-audit serve` as a process of its own on free ports and waits until queries are ready.
 *
 * @param shell a command in front, which must replace itself by the server
 * @param readyMillis how long that may take
 */
export async function startServer(
  data: string,
  args: string[] = [],
  shell: string[] = [],
  readyMillis = 30_000,
) {
  const listen = ["--otlp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const [command = "", ...rest] = [
    ...shell,
    process.execPath,
    ...[LAUNCHER, "serve", "--data", data, ...listen, ...args],
  ];
  const child = childProcess.spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<number | string>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? (signal as string)));
  });
  cleanUp(() => {
    child.kill("SIGKILL");
    return exited;
  });
  let out = "";
  let log = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  await until(
    () => /^API/m.test(out) || child.exitCode !== null || child.signalCode !== null,
    readyMillis,
  );
  const urlOf = (name: string) => new RegExp(`^${name}\\s+(\\S+)`, "m").exec(out)?.[1] ?? "";
  const otlpUrl = urlOf("OTLP");
  const apiUrl = urlOf("API").replace(/\/$/, "");
  return {
    child,
    exited,
    otlpUrl,
    endpoint: otlpUrl.replace(/\/v1\/logs$/, ""),
    apiUrl,
    log: () => log,
    /** Asks the API once everything that was acknowledged is visible. */
    get: async (path: string) => {
      const status = (await (await fetch(`${apiUrl}/api/v1/status`)).json()) as {
        journal_seq: number;
      };
      const separator = path.includes("?") ? "&" : "?";
      const response = await fetch(
        `${apiUrl}/api/v1/${path}${separator}min_seq=${status.journal_seq}`,
      );
      // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
      return (await response.json()) as any;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
    stop: async () => {
      child.kill("SIGTERM");
      return await exited;
    },
  };
}

/** Waits for a condition. */
async function until(condition: () => boolean, timeoutMillis: number): Promise<void> {
  const deadline = Date.now() + timeoutMillis;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not so within ${timeoutMillis} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
