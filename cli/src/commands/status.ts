import type { StatusAnswer } from "@agent-audit/query/client";
import type { Command } from "commander";
import { type AskOptions, ask } from "../ask.js";

export function addStatus(program: Command): void {
  program
    .command("status")
    .description("show how the server is")
    .option("--api <url>", "query API (AGENT_AUDIT_API; default http://127.0.0.1:8318)")
    .option("--json", "print the API's JSON")
    .action(async (options: AskOptions) => {
      const status = await ask("status", [], options);
      if (status === null) return;
      const { formatTable } = await import("../table.js");
      const { segments, ...rest } = status;
      const facts = Object.entries(rest).map(([name, value]) => ({ name, value }));
      const factTable = formatTable(
        [
          { title: "STATUS", value: ({ name }) => name },
          { title: "", value: ({ value }) => value },
        ],
        facts,
      );
      const segmentTable = formatTable(
        [
          {
            title: "SEGMENT",
            value: ({ day, part }) => (part === undefined ? day : `${day}.${part}`),
          },
          { title: "STATE", value: ({ state }) => state },
          { title: "ROWS", value: ({ rows }) => rows, align: "right" },
          { title: "BYTES", value: ({ bytes }) => bytes, align: "right" },
          { title: "PROGRESS", value: ({ progress }) => progressText(progress) },
        ],
        segments,
      );
      process.stdout.write(`${factTable}\n\n${segmentTable}\n`);
    });
}

function progressText(progress: StatusAnswer["segments"][number]["progress"]): string | null {
  if (progress === undefined) return null;
  const { records, total_records, records_per_second } = progress;
  const percent = Math.floor((records / total_records) * 100);
  return `${percent} % of ${total_records} records, ${records_per_second} a second`;
}
