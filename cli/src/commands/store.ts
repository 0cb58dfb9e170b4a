import { AuditError } from "@agent-audit/schema";
import type { RebuildProgress, Store } from "@agent-audit/store";
import type { SegmentCheck } from "@agent-audit/store/check";
import type { Command } from "commander";
import { jsonLine } from "../printable.js";
import { checkDataDirectory } from "../reach.js";
import type { ServerOptions } from "../server-config.js";
import { withDataOptions } from "../server-options.js";

const SEE_DISK =
  "look at the disk and at the journal file that is named; the last file that was given up is in damaged/";

export function addStore(program: Command): void {
  const store = program
    .command("store")
    .description("look after a data directory of which no server is running");
  withDataOptions(
    store
      .command("check")
      .description("compare every row of the engine with the journal's record; changes nothing")
      .option("--json", "print one JSON object per segment"),
  ).action(check);
  withDataOptions(
    store
      .command("rebuild")
      .description("make DuckDB's files again from the journal, all or those of some segments")
      .argument("[segments...]", "such as 2026-11-23 or 2026-11-23.1; default: all"),
  ).action(rebuildAndSeal);
  withDataOptions(
    store
      .command("seal")
      .description("check and seal every segment that has ended, and compress its journal"),
  ).action((options: ServerOptions) => rebuildAndSeal(null, options));
}

/** @param segments to make again, none for all; `null` for none of them */
async function rebuildAndSeal(segments: string[] | null, options: ServerOptions): Promise<void> {
  const { loadServerConfig } = await import("../server-config.js");
  const { expectFailure, withStore } = await import("../offline.js");
  const { config } = loadServerConfig(options);
  checkDataDirectory(config.data);
  const { failure: fault, fail } = expectFailure();
  const onFault = (message: string) => fail(new AuditError("store_fault", message, SEE_DISK));
  const settled = await withStore(
    config,
    async ({ store }) => {
      const settle = () => Promise.race([fault, store.settled()]);
      // One by one: whatever hinders one, the others' rows are there.
      for (const name of await segmentsToMake(store, segments)) {
        await store.remake(name);
        await settle();
      }
      await settle();
      return (await store.status()).segments;
    },
    {
      onProgress: (progress) => process.stderr.write(`${progressText(progress)}\n`),
      onFault,
      onSealingFailed: onFault,
    },
  );
  const rows = settled.reduce((sum, segment) => sum + segment.rows, 0);
  const sealed = settled.filter(({ state }) => state === "sealed").length;
  process.stdout.write(
    `${settled.length} segments with ${rows} events, ${sealed} of them sealed\n`,
  );
}

async function segmentsToMake(store: Store, asked: string[] | null): Promise<string[]> {
  if (asked === null) return [];
  const { segments } = await store.status();
  const known = segments.map(({ name }) => name);
  const unknown = asked.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new AuditError(
      "not_found",
      `there is no segment ${unknown}`,
      `there are: ${known.join(", ")}`,
    );
  }
  return asked.length === 0 ? known : asked;
}

function progressText({ segment, records, totalRecords, recordsPerSecond }: RebuildProgress) {
  return `${segment}: ${records} of ${totalRecords} records made from the journal, ${recordsPerSecond} a second`;
}

async function check(options: ServerOptions & { json?: boolean }): Promise<void> {
  const { loadServerConfig } = await import("../server-config.js");
  const { checkStore } = await import("@agent-audit/store/check");
  const { data } = loadServerConfig(options).config;
  checkDataDirectory(data);
  let faulty = 0;
  let isJournalFault = false;
  await checkStore(data, (segment) => {
    if (segment.faults.length > 0) faulty++;
    isJournalFault ||= segment.isJournalFault;
    process.stdout.write(options.json ? jsonLine(checkJson(segment)) : text(segment));
  });
  if (faulty === 0) return;
  throw new AuditError(
    "store_differs",
    `${faulty} segment${faulty === 1 ? " differs" : "s differ"} from the journal`,
    isJournalFault
      ? "restore the journal from a backup or another server; until then keep DuckDB's files, which may be the only copy"
      : "agent-audit store rebuild makes them again from the journal",
  );
}

function checkJson(check: SegmentCheck) {
  return {
    segment: check.segment,
    first_seq: Number(check.firstSeq),
    last_seq: Number(check.lastSeq),
    records: Number(check.records),
    behind: Number(check.behind),
    set_aside: check.setAside,
    faults: check.faults,
  };
}

function text({ segment, records, behind, setAside, faults }: SegmentCheck): string {
  const notes = [
    ...(behind > 0n ? [`${behind} not applied yet`] : []),
    ...(setAside > 0 ? [`${setAside} set aside`] : []),
  ];
  const head = `${segment}  ${records} records compared${notes.map((note) => `, ${note}`).join("")}`;
  if (faults.length === 0) return `${head}: no difference\n`;
  return `${head}:\n${faults.map((fault) => `  ${fault}\n`).join("")}`;
}
