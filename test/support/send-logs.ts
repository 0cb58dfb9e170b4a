import fs from "node:fs";
import path from "node:path";
import { readLogsRequest } from "@agent-audit/otlp";
import { decodeQuarantine, JournalReader, type Store } from "@agent-audit/store";
import { readJournalFiles } from "./independent-journal-reader.js";

export const PROTOBUF = { "Content-Type": "application/x-protobuf" };
export const JSON_TYPE = { "Content-Type": "application/json" };

export function post(
  url: string,
  headers: Record<string, string>,
  body: Uint8Array | string,
): Promise<Response> {
  return fetch(url, { method: "POST", headers, body: body as string });
}

/** Reads what the journal holds, as `seq:action`. */
export function stored({ store }: { store: Store }): string[] {
  const reader = new JournalReader(store.directory.journal, 1n);
  const actions: string[] = [];
  for (let next = reader.next(store.position.syncedSeq); next !== null; ) {
    let seq = next.frame.firstSeq;
    for (const group of readLogsRequest(next.frame.payload).resourceLogs) {
      for (const record of group.scopeLogs.flatMap(({ logRecords }) => logRecords)) {
        const action = record.attributes.find(({ key }) => key === "agent_audit.action.name");
        actions.push(`${seq++}:${String(action?.value)}`);
      }
    }
    next = reader.next(store.position.syncedSeq);
  }
  reader.close();
  return actions;
}

/** Reads what was set aside, in order: reason and text. */
export function quarantined({ store }: { store: Store }): [reason: string, text: string][] {
  const { journal } = store.directory;
  const files = fs.readdirSync(journal).map((name) => ({
    name,
    bytes: fs.readFileSync(path.join(journal, name)),
  }));
  return readJournalFiles(files)
    .flatMap(({ frames }) => frames)
    .filter(({ kind }) => kind === "quarantine")
    .map(({ payload }) => decodeQuarantine(payload))
    .map(({ reason, bytes }) => [reason, Buffer.from(bytes).toString()]);
}
