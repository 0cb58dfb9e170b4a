import { AuditError } from "@agent-audit/schema";
import type { SegmentCheck } from "@agent-audit/store/check";
import type { Command } from "commander";
import type { ServerOptions } from "../server-config.js";
import { withDataOptions } from "../server-options.js";

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
}

async function check(options: ServerOptions & { json?: boolean }): Promise<void> {
  const { loadServerConfig } = await import("../server-config.js");
  const { checkStore } = await import("@agent-audit/store/check");
  const { data } = loadServerConfig(options).config;
  let faulty = 0;
  await checkStore(data, (segment) => {
    if (segment.faults.length > 0) faulty++;
    process.stdout.write(options.json ? `${JSON.stringify(checkJson(segment))}\n` : text(segment));
  });
  if (faulty === 0) return;
  throw new AuditError(
    "store_differs",
    `${faulty} segment${faulty === 1 ? " differs" : "s differ"} from the journal`,
    "move the files of these segments out of events/: the next start makes them again from the journal",
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
