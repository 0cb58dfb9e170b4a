import childProcess from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { expect } from "vitest";
import { cleanUp } from "./clean-up.js";

/** Starts an OpenTelemetry Collector and waits until its port, which `env` must set, is open. */
export async function startCollector(
  binary: string,
  config: string,
  env: { OTELCOL_LISTEN: string; OTELCOL_QUEUE_DIR: string } & Record<string, string>,
) {
  const collector = childProcess.spawn(binary, [`--config=${config}`], {
    stdio: "ignore",
    env: { ...process.env, ...env },
  });
  cleanUp(() => collector.kill("SIGKILL"));
  const port = Number(env.OTELCOL_LISTEN.split(":")[1]);
  await expect.poll(() => canConnect(port), { timeout: 20_000 }).toBe(true);
  return {
    url: `http://${env.OTELCOL_LISTEN}/v1/logs`,
    kill: async () => {
      const closed = once(collector, "close");
      collector.kill("SIGKILL");
      await closed;
    },
  };
}

/** Finds a port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
