import type { PublicKey, Scope } from "@agent-audit/access";
import { AuditError } from "@agent-audit/schema";
import { type Command, Option } from "commander";
import { type AdminOptions, administer, OFFLINE, withAdminOptions } from "../administer.js";
import { jsonLine } from "../printable.js";

interface CreateOptions extends AdminOptions {
  scope: Scope;
  org?: string;
  project?: string;
  agent?: string;
  maxBytesPerSecond?: string;
}

export function addKeys(program: Command): void {
  const keys = program
    .command("keys")
    .description("make, list and revoke the keys of those who send and read");
  withAdminOptions(
    keys
      .command("create")
      .description("make a key and print it, once")
      .addOption(
        new Option("--scope <scope>", "what the key is for")
          .choices(["ingest", "read", "admin"] satisfies Scope[])
          .makeOptionMandatory(),
      )
      .option("--org <id>", "fix the organisation of what the key sends or reads")
      .option("--project <id>", "fix the project")
      .option("--agent <id>", "fix the agent")
      .option(
        "--max-bytes-per-second <n>",
        "bytes of bodies that the key may send; default no limit",
      ),
  ).action(create);
  withAdminOptions(keys.command("list").description("list the keys, without their text")).action(
    list,
  );
  withAdminOptions(
    keys.command("revoke").description("make a key useless, at once").argument("<id>"),
  ).action(revoke);
}

async function create(options: CreateOptions): Promise<void> {
  const { scope, org, project, agent } = options;
  const wanted = {
    scope,
    org,
    project,
    agent,
    max_bytes_per_second: rateOf(options.maxBytesPerSecond),
  };
  const { key, text } = await administer(
    options,
    {
      online: (client) =>
        client.send<{ key: PublicKey; text: string }>("POST", "admin/keys", wanted),
      offline: (administration) => administration.createKey(wanted, OFFLINE),
    },
    // A server beyond this machine needs keys before its first start.
    true,
  );
  if (options.json) process.stdout.write(jsonLine({ key, text }));
  else {
    process.stderr.write(`key ${key.id}, for ${key.scope}; it is shown this once:\n`);
    process.stdout.write(`${text}\n`);
  }
}

async function list(options: AdminOptions): Promise<void> {
  const { keys } = await administer(options, {
    online: (client) => client.send<{ keys: PublicKey[] }>("GET", "admin/keys"),
    offline: async (administration) => ({ keys: administration.listKeys() }),
  });
  const { printList } = await import("../table.js");
  printList(
    keys,
    [
      { title: "ID", value: ({ id }) => id },
      { title: "SCOPE", value: ({ scope }) => scope },
      { title: "ORG", value: ({ org }) => org },
      { title: "PROJECT", value: ({ project }) => project },
      { title: "AGENT", value: ({ agent }) => agent },
      { title: "CREATED", value: ({ created_time }) => created_time },
      { title: "REVOKED", value: ({ revoked_time }) => revoked_time },
    ],
    { json: options.json, empty: "there are no keys: callers on this machine need none" },
  );
}

async function revoke(id: string, options: AdminOptions): Promise<void> {
  const { key } = await administer(options, {
    online: (client) =>
      client.send<{ key: PublicKey }>("DELETE", `admin/keys/${encodeURIComponent(id)}`),
    offline: async (administration) => ({ key: await administration.revokeKey(id, OFFLINE) }),
  });
  if (options.json) process.stdout.write(jsonLine(key));
  else process.stdout.write(`key ${key.id} is revoked\n`);
}

function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rate = Number(text);
  if (Number.isSafeInteger(rate) && rate >= 1) return rate;
  throw new AuditError(
    "invalid_rate",
    `--max-bytes-per-second ${text} is no whole number from 1`,
    "use --max-bytes-per-second 1000000",
  );
}
