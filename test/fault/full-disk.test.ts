import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { cleanUp } from "../support/clean-up.js";
import { Ledger } from "../support/ledger.js";
import { startServer } from "../support/start-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const MIB = 1024 * 1024;
const DISK_MIB = 192;
/** Liveness: the promise is 10 s. */
const RESUME_MILLIS = 5 * 10_000;

const mountPoint = fs.mkdtempSync("/tmp/agent-audit-tmpfs-");
const isMounted =
  childProcess.spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tmpfs", mountPoint])
    .status === 0;
if (isMounted) childProcess.spawnSync("umount", [mountPoint]);
fs.rmdirSync(mountPoint);

/** Mounts a small file system of its own for one test. */
function smallDisk(): string {
  const directory = temporaryDirectory();
  childProcess.execFileSync("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${DISK_MIB}m`,
    "tmpfs",
    directory,
  ]);
  cleanUp(() => childProcess.spawnSync("umount", ["--lazy", directory]));
  return directory;
}

describe.skipIf(!isMounted)("P5: a full disk (needs the right to mount)", () => {
  it("answers 503 before it is full, goes on reading, and resumes by itself", async () => {
    const disk = smallDisk();
    const ballast = path.join(disk, "ballast");
    fs.writeFileSync(ballast, Buffer.alloc(48 * MIB));
    const config = path.join(disk, "agent-audit.yaml");
    fs.writeFileSync(config, `disk_guard: { min_free_bytes: ${32 * MIB}, min_free_percent: 5 }\n`);
    const server = await startServer(path.join(disk, "data"), ["--config", config]);
    const ledger = new Ledger(2000);
    const send = () => ledger.send(server.otlpUrl, ledger.issue(50));
    // Faster than the engine applies, so that it has work left when the disk is full.
    const writers = Array.from({ length: 8 }, async () => {
      let status = 200;
      while (status === 200) status = await send();
      return status;
    });
    expect(new Set(await Promise.all(writers))).toEqual(new Set([503]));
    expect(ledger.acknowledged.size).toBeGreaterThan(5000);
    expect(freeBytes(disk)).toBeGreaterThan(0);

    // Others fill what is left, to the last byte.
    const others = path.join(disk, "others");
    fillUp(others);
    for (let i = 0; i < 20; i++) {
      expect(await send()).toBe(503);
      const answer = await fetch(`${server.apiUrl}/api/v1/events?limit=1`);
      expect([200, 503]).toContain(answer.status);
      await sleep(100);
    }
    expect((await fetch(`${server.apiUrl}/api/v1/facets`)).status).toBe(200);
    expect(server.child.exitCode, server.log()).toBeNull();

    fs.rmSync(others);
    fs.rmSync(ballast);
    await expect.poll(send, { timeout: RESUME_MILLIS, interval: 100 }).toBe(200);
    await ledger.compare(server);
    expect(await server.stop()).toBe(0);
    await ledger.compare(await startServer(path.join(disk, "data"), ["--config", config]));
  });
});

const freeBytes = (directory: string) => {
  const { bavail, bsize } = fs.statfsSync(directory);
  return bavail * bsize;
};

function fillUp(file: string): void {
  const fd = fs.openSync(file, "w");
  try {
    for (;;) fs.writeSync(fd, Buffer.alloc(64 * 1024));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
  } finally {
    fs.closeSync(fd);
  }
}
