import {
  type DiskGuardLimits,
  JournalWriter,
  type RebuildProgress,
  type SegmentLimits,
  Store,
} from "@agent-audit/store";
import { cleanUp } from "./clean-up.js";
import { sampleFrame } from "./sample-frame.js";

interface StartOptions {
  segmentLimits?: SegmentLimits;
  diskGuard?: DiskGuardLimits;
  memoryLimitMib?: number;
}

/** Opens a store with its journal on this thread, as one process would have them. */
export async function startStore(
  data: string,
  now = () => BigInt(Date.now()) * 1_000_000n,
  { segmentLimits, diskGuard, memoryLimitMib }: StartOptions = {},
) {
  const failures: Error[] = [];
  const setAside: bigint[] = [];
  const damaged: string[] = [];
  const progress: RebuildProgress[] = [];
  const store = await Store.open({
    data,
    onFatal: (error) => failures.push(error),
    onSetAside: (seq) => setAside.push(seq),
    onDamaged: (segment) => damaged.push(segment),
    ...(diskGuard === undefined ? {} : { diskGuard }),
    memoryLimitMib,
    onProgress: (report) => progress.push(report),
  });
  cleanUp(() => store.close());
  const { storeId, formerStoreIds, directory, position } = store;
  await store.prepare();
  const journal = JournalWriter.open({
    directory: directory.journal,
    storeId,
    formerStoreIds,
    now,
    segmentLimits,
  });
  position.syncedSeq = journal.syncedSeq;
  await store.verify();
  const following = store.follow();
  // Stopped before it has caught up, which most tests do not wait for.
  following.catch(() => {});
  return {
    store,
    following,
    failures,
    setAside,
    damaged,
    progress,
    /** Appends one request's records, synced. */
    append(payload: Buffer, recordCount: number, receivedNano = now()) {
      journal.rotateIfDue(receivedNano);
      journal.append(sampleFrame({ recordCount, receivedNano, payload }));
      journal.sync();
      position.syncedSeq = journal.syncedSeq;
    },
    async stop() {
      journal.close();
      await store.close();
    },
  };
}
