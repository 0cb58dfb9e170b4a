import childProcess from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { AuditError } from "@agent-audit/schema";
import { DEMO_WORKSPACE_PREFIX } from "./scenario.js";

/**
 * Runs the demo's agent in a directory of its own, which is gone afterwards.
 *
 * @param signal ends the agent
 * @throws AuditError `demo_failed`
 */
export async function runAgent(otlpUrl: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const file = fileURLToPath(new URL("./agent.js", import.meta.url));
  const workspace = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), DEMO_WORKSPACE_PREFIX));
  try {
    const agent = childProcess.spawn(process.execPath, [file, workspace], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...foreignVariables(), OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl },
    });
    signal.addEventListener("abort", () => agent.kill());
    const [code] = (await once(agent, "close")) as [number | null];
    signal.throwIfAborted();
    if (code !== 0) {
      throw new AuditError(
        "demo_failed",
        `the demo's agent ended with ${code}`,
        "its message is above; the demo needs a checkout with `npm ci`",
      );
    }
  } finally {
    fs.rmSync(workspace, { recursive: true, force: true });
  }
}

/** The environment without what would send the demo's events elsewhere, or change or hold them back. */
function foreignVariables(): NodeJS.ProcessEnv {
  const own = /^(OTEL|AGENT_AUDIT)_/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}
