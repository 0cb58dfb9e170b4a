import childProcess from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { cleanUp } from "../support/clean-up.js";
import { sampleBody, sampleEvent } from "../support/sample-logs.js";
import { LAUNCHER } from "../support/start-server.js";
import { startStore } from "../support/start-store.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** More than the engine applies at once: it takes two seconds or more to make its view again. */
const REQUESTS = 200;
const RECORDS_EACH = 1_000;

it("a server that is stopped while it catches up ends as any other", async () => {
  const data = temporaryDirectory();
  const { append, stop } = await startStore(data);
  const body = sampleBody(...Array.from({ length: RECORDS_EACH }, () => sampleEvent()));
  for (let i = 0; i < REQUESTS; i++) append(body, RECORDS_EACH);
  await stop();
  fs.rmSync(path.join(data, "events"), { recursive: true });
  const listen = ["--otlp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const child = childProcess.spawn(
    process.execPath,
    [LAUNCHER, "serve", "--data", data, ...listen],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const closed = once(child, "close");
  cleanUp(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  let printed = "";
  child.stdout.on("data", (chunk) => {
    // A second signal would end it at once.
    if (printed === "") child.kill("SIGTERM");
    printed += chunk;
  });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  expect(await closed, log).toEqual([0, null]);
  expect(printed).not.toMatch(/^API/m);
});
