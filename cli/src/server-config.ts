import fs from "node:fs";
import { parseListenAddress } from "@agent-audit/access";
import { collectorConfig } from "@agent-audit/collector";
import { queryConfig } from "@agent-audit/query";
import { AuditError, nearestName } from "@agent-audit/schema";
import { type DiskGuardLimits, storeConfig } from "@agent-audit/store";
import { z } from "zod";
import { NO_FILE, readConfigFile } from "./config-file.js";
import { readSecretFiles } from "./config-secrets.js";
import { shapeOf } from "./config-shape.js";

const DEFAULT_FILE = "agent-audit.yaml";

/** The whole configuration: each room's part. */
export const serverConfig = z.strictObject({
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

/** What options and variables override, and under which names. */
const OVERRIDES = [
  { path: ["data"], option: "data", variable: "AGENT_AUDIT_DATA" },
  { path: ["otlp", "listen"], option: "otlp", variable: "AGENT_AUDIT_OTLP" },
  { path: ["http", "listen"], option: "http", variable: "AGENT_AUDIT_HTTP" },
] as const;

/** The effective configuration, and where each value came from. */
export interface LoadedConfig {
  config: ServerConfig;
  /** The file that was read; `null` for none. */
  file: string | null;
  /** Says where an option was set: `FILE:LINE`, a variable, a command-line option; `null` for its default. */
  originOf(path: readonly PropertyKey[]): string | null;
}

/**
 * Reads the configuration: options, then `AGENT_AUDIT_*`, then the file, then defaults.
 *
 * @throws AuditError `invalid_config` that lists every fault with its place
 */
export function loadServerConfig(options: ServerOptions, env = process.env): LoadedConfig {
  const file = options.config ?? env.AGENT_AUDIT_CONFIG ?? existing(DEFAULT_FILE);
  const { value, faults, whereIs } = file === null ? NO_FILE : readConfigFile(file, env);
  const given = structuredClone(value);
  const overriddenBy = new Map<string, string>();
  for (const { path, option, variable } of OVERRIDES) {
    const text = options[option] ?? env[variable];
    if (text === undefined) continue;
    setAt(given, path, text);
    overriddenBy.set(path.join("."), options[option] === undefined ? variable : `--${option}`);
  }
  const place = (path: readonly PropertyKey[]) => overriddenBy.get(path.join(".")) ?? whereIs(path);
  const secretFaults = readSecretFiles(serverConfig, given);
  const parsed = serverConfig.safeParse(given);
  const allFaults = [
    ...faults,
    ...secretFaults.map(({ path, message }) => `${place(path)}: ${path.join(".")}: ${message}`),
    ...(parsed.error?.issues ?? []).flatMap((issue) => describeIssue(issue, place)),
  ];
  if (!parsed.success || allFaults.length > 0) {
    throw new AuditError(
      "invalid_config",
      `the configuration has ${allFaults.length} fault${allFaults.length === 1 ? "" : "s"}:\n  ${allFaults.join("\n  ")}`,
      "correct what is listed; every option is in docs/operating.md",
    );
  }
  return {
    config: parsed.data,
    file,
    originOf: (path) =>
      overriddenBy.get(path.join(".")) ?? (hasAt(value, path) ? whereIs(path) : null),
  };
}

/** What must stay free of the disk for ingest to go on. */
export function diskGuardLimits({ disk_guard: limits }: ServerConfig): DiskGuardLimits {
  return { minFreeBytes: limits.min_free_bytes, minFreePercent: limits.min_free_percent };
}

/** How the journal is written, by a server or for a command. */
export function journalOptions(config: ServerConfig) {
  const { ingest, segments, quarantine } = config;
  return {
    diskGuard: diskGuardLimits(config),
    maxQuarantineBytesPerDay: quarantine.max_bytes_per_day,
    deduplicatesUnidentified: ingest.deduplicate_unidentified === "request",
    segmentLimits: {
      maxRecords: segments.max_records,
      maxJournalBytes: segments.max_journal_bytes,
    },
  };
}

/** Where a server with this configuration answers on this machine. */
export function apiUrlOf({ http: { listen, tls } }: ServerConfig): string {
  const { host, port } = parseListenAddress(listen);
  const isAny = host === "0.0.0.0" || host === "::";
  const name = isAny ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `${tls === undefined ? "http" : "https"}://${name}:${port}`;
}

/** Days that segments are kept; `null` for ever. */
export function keepDays({ retention: { keep } }: ServerConfig): number | null {
  return keep === undefined ? null : Number.parseInt(keep, 10);
}

function existing(file: string): string | null {
  return fs.existsSync(file) ? file : null;
}

function setAt(holder: unknown, path: readonly string[], value: string): void {
  const [name, ...rest] = path as [string, ...string[]];
  // What is no mapping is a fault of the file, and reported as one.
  if (typeof holder !== "object" || holder === null) return;
  const values = holder as Record<string, unknown>;
  if (rest.length === 0) values[name] = value;
  else {
    values[name] ??= {};
    setAt(values[name], rest, value);
  }
}

function hasAt(holder: unknown, path: readonly PropertyKey[]): boolean {
  let at = holder;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return false;
    at = (at as Record<PropertyKey, unknown>)[name];
  }
  return true;
}

function describeIssue(
  issue: z.core.$ZodIssue,
  place: (path: readonly PropertyKey[]) => string,
): string[] {
  const name = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") {
    return [`${place(issue.path)}: ${name === "" ? "" : `${name}: `}${issue.message}`];
  }
  const known = keysAt(issue.path);
  return issue.keys.map((key) => {
    const nearest = nearestName(key, known);
    const hint = nearest === null ? "" : `; did you mean ${nearest}?`;
    const path = [...issue.path, key];
    return `${place(path)}: ${path.join(".")}: unknown key${hint}`;
  });
}

/** The keys that the configuration knows at a place. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let at: unknown = serverConfig;
  for (const step of path) at = shapeOf(at)?.[String(step)];
  return Object.keys(shapeOf(at) ?? {});
}
