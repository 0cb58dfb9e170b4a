import path from "node:path";
import type { QuarantineReader } from "@agent-audit/query";
import type { QuarantineAnswer, QuarantineEntryJson, QueryClient } from "@agent-audit/query/client";
import { AuditError } from "@agent-audit/schema";
import type { Command } from "commander";
import { jsonLine, printable } from "../printable.js";
import { type PlaceOptions, reach, withPlaceOptions } from "../reach.js";

interface QuarantineOptions extends PlaceOptions {
  json?: boolean;
}

/** Where entries come from: a running server, or a data directory. */
interface Source {
  page(limit: number, cursor: string | null): Promise<QuarantineAnswer>;
  entry(id: string): Promise<QuarantineEntryJson>;
}

/** Entries that the API gives at once. */
const PAGE_LIMIT = 200;

export function addQuarantine(program: Command): void {
  const quarantine = program
    .command("quarantine")
    .description("show records that could not be stored as they came, and why");
  withPlaceOptions(
    quarantine
      .command("list")
      .description("list what was set aside, newest first")
      .option("--limit <n>", "entries at most", "50")
      .option("--json", "print one JSON object a line, with the bytes as base64"),
  ).action(list);
  withPlaceOptions(
    quarantine
      .command("show")
      .description("show one entry of the list with its bytes, as text")
      .argument("<id>", "the ID of the list")
      .option("--raw", "print the bytes alone, as they came")
      .option("--json", "print the API's JSON"),
  ).action(show);
}

async function list(options: QuarantineOptions & { limit: string }): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new AuditError(
      "invalid_limit",
      `--limit ${options.limit} is no whole number from 1`,
      "use --limit 50",
    );
  }
  const entries = await from(options, (source) => newest(source, limit));
  const { printList } = await import("../table.js");
  printList(
    entries,
    [
      { title: "ID", value: ({ id }) => id },
      { title: "RECEIVED", value: ({ received_time }) => received_time },
      { title: "AFTER SEQ", value: ({ after_seq }) => after_seq, align: "right" },
      { title: "BYTES", value: ({ bytes }) => bytesOf(bytes).length, align: "right" },
      { title: "REASON", value: ({ reason }) => reason, maxWidth: 120 },
    ],
    { json: options.json, empty: "nothing was set aside" },
  );
}

async function show(id: string, options: QuarantineOptions & { raw?: boolean }): Promise<void> {
  const entry = await from(options, (source) => source.entry(id));
  const bytes = bytesOf(entry.bytes);
  if (options.raw) {
    process.stdout.write(bytes);
    return;
  }
  if (options.json) {
    process.stdout.write(jsonLine(entry));
    return;
  }
  const { bytes: _, ...facts } = entry;
  for (const [name, value] of Object.entries(facts)) {
    process.stdout.write(`${name.padEnd(15)}${printable(String(value ?? "-"))}\n`);
  }
  process.stdout.write(`${"size".padEnd(15)}${bytes.length} bytes\n\n`);
  process.stdout.write(`${bytes.toString("utf8").split("\n").map(printable).join("\n")}\n`);
}

/** Walks pages, which may be short. */
async function newest(source: Source, limit: number): Promise<QuarantineEntryJson[]> {
  const entries: QuarantineEntryJson[] = [];
  let cursor: string | null = null;
  do {
    const wanted = Math.min(PAGE_LIMIT, limit - entries.length);
    const page: QuarantineAnswer = await source.page(wanted, cursor);
    entries.push(...page.entries);
    cursor = page.next_cursor;
  } while (cursor !== null && entries.length < limit);
  return entries;
}

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, "base64");
}

async function from<T>(
  options: QuarantineOptions,
  read: (source: Source) => Promise<T>,
): Promise<T> {
  return await reach(options, {
    online: (client) => read(serverSource(client)),
    // With or without a server on it: the journal's files can be read beside that.
    offline: async ({ data }) => read(await directorySource(data)),
  });
}

function serverSource(client: QueryClient): Source {
  return {
    page: (limit, cursor) => {
      const parameters: [string, string][] = [["limit", String(limit)]];
      if (cursor !== null) parameters.push(["cursor", cursor]);
      return client.get("quarantine", parameters);
    },
    entry: (id) => client.get(`quarantine/${encodeURIComponent(id)}`),
  };
}

async function directorySource(data: string): Promise<Source> {
  const { readQuarantine, readQuarantineEntry } = await import("@agent-audit/store");
  const { quarantineEntry, quarantinePage } = await import("@agent-audit/query");
  const journal = path.join(data, "journal");
  const reader: QuarantineReader = {
    quarantine: async (before, limit) => readQuarantine(journal, before, limit),
    quarantineEntry: async (place) => readQuarantineEntry(journal, place),
  };
  return {
    page: (limit, cursor) => quarantinePage(reader, { limit, cursor }),
    entry: (id) => quarantineEntry(reader, id),
  };
}
