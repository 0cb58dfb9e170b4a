import { JournalClient, Receiver } from "@agent-audit/collector";
import { Store } from "@agent-audit/store";
import { onTestFinished } from "vitest";

/** Starts store, journal and receiver on a free port, as `serve` wires them. */
export async function startReceiver(data: string, maxBodyBytes = 64 * 1024 * 1024) {
  const failures: Error[] = [];
  const onFatal = (error: Error) => failures.push(error);
  const receiver = await Receiver.listen({
    address: { host: "127.0.0.1", port: 0 },
    maxBodyBytes,
    closeGraceMillis: 0,
  });
  const store = await Store.open({ data, onFatal });
  const { journal } = await JournalClient.open({ store, onFatal });
  await store.verify();
  receiver.ready(journal);
  const following = store.follow();
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await receiver.drain();
    await receiver.close();
    await journal.close();
    await following;
    await store.close();
  };
  onTestFinished(stop);
  return { receiver, store, journal, following, failures, url: `${receiver.url}/v1/logs`, stop };
}
