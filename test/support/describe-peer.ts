import childProcess from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";

const PEERS = fileURLToPath(new URL("../interop/peers", import.meta.url));
const BUILD_MILLIS = 900_000;

/** Parts that must run here, such as `otelcol,python-sdk`: a skipped one then fails. */
const REQUIRED = (process.env.INTEROP_REQUIRE ?? "").split(",");

/**
 * Describes tests against a real peer: builds it first, if it is not built, or skips by name where a tool for
 * that is absent.
 *
 * @param name folder in `test/interop/peers`, whose `build.sh` prints what to run
 * @param tools commands that building and running need
 * @param body gets what `build.sh` printed, once a test runs
 */
export function describePeer(name: string, tools: string[], body: (built: () => string) => void) {
  const missing = tools.filter((tool) => !isOnPath(tool));
  it.runIf(REQUIRED.includes(name))(`${name} can run here`, () => {
    expect(missing).toEqual([]);
  });
  const title = missing.length === 0 ? name : `${name}: ${missing.join(", ")} missing`;
  describe.skipIf(missing.length > 0)(title, () => {
    let built = "";
    beforeAll(() => {
      const script = path.join(PEERS, name, "build.sh");
      built = childProcess.execFileSync(script, { encoding: "utf8" }).trim();
    }, BUILD_MILLIS);
    body(() => built);
  });
}

function isOnPath(tool: string): boolean {
  const places = (process.env.PATH ?? "").split(path.delimiter);
  return places.some((place) => fs.existsSync(path.join(place, tool)));
}
