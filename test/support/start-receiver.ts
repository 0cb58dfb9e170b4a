import { KeyRing, keyFile } from "@agent-audit/access";
import { JournalClient, Receiver } from "@agent-audit/collector";
import { Store } from "@agent-audit/store";
import { cleanUp } from "./clean-up.js";

const MIB = 1024 * 1024;

/** Starts store, journal and receiver on a free port, as `serve` wires them. */
export async function startReceiver(
  data: string,
  {
    maxBodyBytes = 64 * MIB,
    maxQuarantineBytesPerDay = 64 * MIB,
    minFreeBytes = 0,
    deduplicatesUnidentified = true,
  } = {},
) {
  const failures: Error[] = [];
  const onFatal = (error: Error) => failures.push(error);
  const receiver = await Receiver.listen({
    address: { host: "127.0.0.1", port: 0 },
    keys: new KeyRing(keyFile(data)),
    trustsLoopback: true,
    maxBodyBytes,
    closeGraceMillis: 0,
  });
  const store = await Store.open({ data, onFatal });
  const { journal } = await JournalClient.open({
    store,
    diskGuard: { minFreeBytes, minFreePercent: 0 },
    maxQuarantineBytesPerDay,
    deduplicatesUnidentified,
    onFatal,
  });
  await store.verify();
  await journal.begin();
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
  cleanUp(stop);
  return { receiver, store, journal, following, failures, url: `${receiver.url}/v1/logs`, stop };
}
