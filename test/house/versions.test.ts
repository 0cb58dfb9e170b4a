import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { LAUNCHER, ROOT } from "../support/start-server.js";

const manifest = (room: string) =>
  JSON.parse(fs.readFileSync(path.join(ROOT, room, "package.json"), "utf8"));

describe("the packages", () => {
  it("carry one version, and the command says it", () => {
    const { workspaces, version } = manifest(".");
    for (const room of workspaces) expect(manifest(room).version, room).toBe(version);
    const says = childProcess.spawnSync(process.execPath, [LAUNCHER, "--version"], {
      encoding: "utf8",
    });
    expect(says.stdout.trim()).toBe(version);
  });

  it("pin every dependency to an exact version", () => {
    for (const room of [".", ...manifest(".").workspaces]) {
      const { dependencies = {}, devDependencies = {} } = manifest(room);
      for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies })) {
        expect(range, `${room}: ${name}`).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      }
    }
  });
});
