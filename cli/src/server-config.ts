import fs from "node:fs";
import { collectorConfig } from "@agent-audit/collector";
import { queryConfig } from "@agent-audit/query";
import { AuditError, nearestName } from "@agent-audit/schema";
import { storeConfig } from "@agent-audit/store";
import { parse } from "yaml";
import { z } from "zod";

const DEFAULT_FILE = "agent-audit.yaml";

/** The whole configuration: each room's part. */
const serverConfig = z.strictObject({
  ...storeConfig.shape,
  ...collectorConfig.shape,
  ...queryConfig.shape,
});
export type ServerConfig = z.infer<typeof serverConfig>;

/** Options of the command line that override the file. */
export interface ServerOptions {
  config?: string;
  data?: string;
  otlp?: string;
  http?: string;
}

/**
 * Reads the configuration: options, then `AGENT_AUDIT_*`, then the file, then defaults.
 *
 * @throws AuditError `invalid_config` that lists every fault
 */
export function loadServerConfig(options: ServerOptions, env = process.env): ServerConfig {
  const file = options.config ?? env.AGENT_AUDIT_CONFIG ?? existing(DEFAULT_FILE);
  const parsed = serverConfig.safeParse(file === null ? {} : readYaml(file));
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap(describeIssue);
    throw new AuditError(
      "invalid_config",
      `${file} has ${faults.length} fault${faults.length === 1 ? "" : "s"}:\n  ${faults.join("\n  ")}`,
      "correct the file; every option is in docs/operating.md",
    );
  }
  const config = parsed.data;
  return {
    ...config,
    data: options.data ?? env.AGENT_AUDIT_DATA ?? config.data,
    otlp: {
      ...config.otlp,
      listen: options.otlp ?? env.AGENT_AUDIT_OTLP ?? config.otlp.listen,
    },
    http: { listen: options.http ?? env.AGENT_AUDIT_HTTP ?? config.http.listen },
  };
}

function existing(file: string): string | null {
  return fs.existsSync(file) ? file : null;
}

function readYaml(file: string): unknown {
  try {
    return parse(fs.readFileSync(file, "utf8"), { strict: true, uniqueKeys: true }) ?? {};
  } catch (cause) {
    throw new AuditError(
      "invalid_config",
      `${file}: ${(cause as Error).message}`,
      "check the file",
      {
        cause,
      },
    );
  }
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") return [`${path || "the file"}: ${issue.message}`];
  const known = keysAt(issue.path);
  return issue.keys.map((key) => {
    const nearest = nearestName(key, known);
    const name = path === "" ? key : `${path}.${key}`;
    return `${name}: unknown key${nearest === null ? "" : `; did you mean ${nearest}?`}`;
  });
}

/** The keys that the configuration knows at a place. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let at: unknown = serverConfig;
  for (const step of path) at = shapeOf(at)?.[String(step)];
  return Object.keys(shapeOf(at) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  let inner = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodOptional
  ) {
    inner = inner.unwrap();
  }
  return inner instanceof z.ZodObject ? (inner.shape as Record<string, unknown>) : undefined;
}
