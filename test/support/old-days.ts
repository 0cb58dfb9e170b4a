import { JournalWriter, Store } from "@agent-audit/store";
import { sampleFrame } from "./sample-frame.js";
import { sampleBody, sampleEvent } from "./sample-logs.js";
import { temporaryDirectory } from "./temporary-directory.js";

const NANOS_PER_DAY = 86_400_000_000_000n;

/**
 * Makes a data directory of today and some days before it, as it had been written on them. The events of a day have the
 * action `day-N`, N days ago.
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
    const events = Array.from({ length: eventsPerDay }, (_, i) =>
      sampleEvent({ id: `${age}-${i}`, action: `day-${age}` }),
    );
    journal.rotateIfDue(now);
    const payload = sampleBody(...events);
    journal.append(sampleFrame({ recordCount: eventsPerDay, receivedNano: now, payload }));
  }
  journal.close();
  await store.close();
  return data;
}
