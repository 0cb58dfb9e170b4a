// Starts the processes that a benchmark compares, and ends them by their own id.
import childProcess from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const LAUNCHER = fileURLToPath(new URL("../cli/bin/agent-audit.cjs", import.meta.url));

/** Runs one of the benchmark's scripts and gives the JSON that it printed. */
export async function runScript(name, ...args) {
  return await (await prepareScript(name, ...args))();
}

/** Starts a script that says over IPC when it is prepared, and gives what lets it go on, which gives the JSON that it printed. */
export async function prepareScript(name, ...args) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const child = childProcess.spawn(process.execPath, [file, ...args.map(String)], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  const closed = once(child, "close");
  await Promise.race([once(child, "message"), closed]);
  return async () => {
    if (child.connected) child.send("go");
    const [code] = await closed;
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
    return JSON.parse(out);
  };
}

/**
 * Starts a server on free ports; says how long until ingest and queries were ready.
 *
 * @param options further options of `agent-audit serve`
 */
export async function startServer(data, options = []) {
  const begin = performance.now();
  const listen = ["--otlp", "127.0.0.1:0", "--http", "127.0.0.1:0", ...options];
  const child = childProcess.spawn(
    process.execPath,
    [LAUNCHER, "serve", "--data", data, ...listen],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  const printed = async (name) => {
    while (!new RegExp(`^${name}`, "m").test(out)) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return (performance.now() - begin) / 1000;
  };
  const ingestSeconds = await printed("OTLP");
  const queriesSeconds = await printed("API");
  const urlOf = (name) => new RegExp(`^${name}\\s+(\\S+)`, "m").exec(out)[1];
  const apiUrl = urlOf("API");
  return {
    otlpUrl: urlOf("OTLP"),
    apiUrl,
    ingestSeconds,
    queriesSeconds,
    /** Waits until queries see a number of records. */
    applied: async (records) => {
      const appliedSeq = async () =>
        (await (await fetch(`${apiUrl}api/v1/status`)).json()).applied_seq;
      while ((await appliedSeq()) < records) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    stop: () => end(child),
    kill: () => end(child, "SIGKILL"),
  };
}

/** Starts the OpenTelemetry Collector with a configuration, or gives `null` where it is not built. */
export async function startCollector(configurationFor) {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache");
  const home = process.env.PEERS_HOME ?? path.join(cache, "agent-audit-peers");
  const binary = path.join(home, "otelcol-0.165.0/otelcol-audit");
  if (!fs.existsSync(binary)) return null;
  const directory = temporaryDirectory();
  const port = await freePort();
  const config = path.join(directory, "config.yaml");
  fs.writeFileSync(config, configurationFor(port, directory));
  const child = childProcess.spawn(binary, [`--config=${config}`], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}/v1/logs`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the Collector ended with ${child.exitCode}`);
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isUp) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = async () => {
    await end(child);
    fs.rmSync(directory, { recursive: true, force: true });
  };
  return { url, stop };
}

export function temporaryDirectory() {
  return fs.mkdtempSync(path.join(os.tmpdir(), "agent-audit-bench-"));
}

export async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function end(child, signal = "SIGTERM") {
  child.kill(signal);
  await once(child, "close");
}
