import { readLogsRequestJson } from "@agent-audit/otlp";
import { ATTR_LOG_RECORD_UID } from "@agent-audit/schema";

/** Ids of all records in the journal, in order of their sequences. */
export async function exportedIds(apiUrl: string): Promise<string[]> {
  const response = await fetch(`${apiUrl}/api/v1/export?format=otlp&after_seq=0`);
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  return lines
    .flatMap((line) => readLogsRequestJson(Buffer.from(line)).request.resourceLogs)
    .flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
    .map(({ attributes }) =>
      String(attributes.find(({ key }) => key === ATTR_LOG_RECORD_UID)?.value),
    );
}
