import { JournalWriter, Store } from "@agent-audit/store";
import { sampleFrame } from "./sample-frame.js";
import { sampleBody, sampleEvent } from "./sample-logs.js";
import { temporaryDirectory } from "./temporary-directory.js";

const NANOS_PER_DAY = 86_400_000_000_000n;

const RECORDS_A_FRAME = 1_000;

/**
 * Makes a data directory of today and some days before it, as it had been written on them. The events of a day have the
 * actions `day-N/...`, N days ago, and lie evenly in it.
 */
export async function oldDays(days: number, eventsPerDay: number): Promise<string> {
  const data = temporaryDirectory();
  const store = await Store.open({ data, onFatal: () => {} });
  const { directory, storeId } = store;
  const today = BigInt(Math.floor(Date.now() / 86_400_000)) * NANOS_PER_DAY;
  let now = 0n;
  const journal = JournalWriter.open({ directory: directory.journal, storeId, now: () => now });
  for (let age = days; age >= 0; age--) {
    now = today - BigInt(age) * NANOS_PER_DAY + 5n;
    journal.rotateIfDue(now);
    for (let first = 0; first < eventsPerDay; first += RECORDS_A_FRAME) {
      const recordCount = Math.min(RECORDS_A_FRAME, eventsPerDay - first);
      const events = Array.from({ length: recordCount }, (_, i) => {
        const time = now + (BigInt(first + i) * NANOS_PER_DAY) / BigInt(eventsPerDay);
        const name = `day-${age}/${first + i}`;
        return sampleEvent({ id: name, time, action: name, description: `what ${name} did` });
      });
      const payload = sampleBody(...events);
      journal.append(sampleFrame({ recordCount, receivedNano: now, payload }));
    }
  }
  journal.close();
  await store.close();
  return data;
}
