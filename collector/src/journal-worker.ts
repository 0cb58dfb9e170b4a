import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { AuditError } from "@agent-audit/schema";
import { encodeQuarantine, JournalWriter, type NewFrame, SharedPosition } from "@agent-audit/store";
import { admit } from "./admit.js";
import type {
  JournalReply,
  JournalRequest,
  JournalWorkerData,
  StoreOutcome,
  StoreRequest,
} from "./journal-messages.js";

// The one thread that writes the journal. All of it is synchronous: DuckDB's calls and Node's own fdatasync
// share four threads, so an asynchronous sync would wait behind queries.

/** Bodies that share a sync at most. */
const GROUP_SIZE = 64;

const { directory, storeId, positionBuffer } = workerData as JournalWorkerData;
const position = new SharedPosition(positionBuffer);
const now = () => BigInt(Date.now()) * 1_000_000n;

start();

function start(): void {
  const journal = orDie([], () => new JournalWriter({ directory, storeId, now }));
  if (journal === null) return;
  position.syncedSeq = journal.syncedSeq;
  send({ ready: { nextSeq: journal.nextSeq, cut: journal.cut } });
  parentPort?.on("message", (first: JournalRequest) => {
    const requests = [first, ...waiting(GROUP_SIZE - 1)];
    const bodies = requests.filter((request): request is StoreRequest => "id" in request);
    if (bodies.length > 0 && !storeGroup(journal, bodies)) return;
    if (bodies.length < requests.length) close(journal);
  });
}

/** Stores what arrived together with one sync, and tells only then. */
function storeGroup(journal: JournalWriter, bodies: StoreRequest[]): boolean {
  const outcomes = orDie(bodies, () => {
    const nextSeq = journal.nextSeq;
    let hasWritten = false;
    const settled = bodies.map((request): [number, StoreOutcome] => {
      const { outcome, isWritten } = store(journal, request);
      hasWritten ||= isWritten;
      return [request.id, outcome];
    });
    if (hasWritten || journal.nextSeq !== nextSeq) journal.sync();
    position.syncedSeq = journal.syncedSeq;
    return settled;
  });
  if (outcomes === null) return false;
  send({ outcomes });
  return true;
}

function store(
  journal: JournalWriter,
  request: StoreRequest,
): { outcome: StoreOutcome; isWritten: boolean } {
  const admission = admit(request);
  if (admission.status === "refused") return { outcome: admission, isWritten: false };
  const { payload, recordCount, faults, rejectedCount, digest } = admission;
  const frame = (kind: NewFrame["kind"], bytes: Uint8Array, records: number): NewFrame => ({
    kind,
    recordCount: records,
    receivedNano: now(),
    keyId: "",
    orgId: "",
    projectId: "",
    digest,
    payload: bytes,
  });
  let lastSeq = 0n;
  if (recordCount > 0) {
    lastSeq = journal.append(frame("records", payload, recordCount)) + BigInt(recordCount) - 1n;
  }
  for (const fault of faults) journal.append(frame("quarantine", encodeQuarantine(fault), 0));
  const reason = faults[0]?.reason ?? "";
  return {
    outcome: { status: "stored", lastSeq, rejectedCount, reason },
    isWritten: recordCount > 0 || faults.length > 0,
  };
}

function close(journal: JournalWriter): void {
  orDie([], () => journal.close());
  send({ closed: true });
  parentPort?.close();
}

function* waiting(limit: number): Generator<JournalRequest> {
  if (parentPort === null) return;
  for (let i = 0; i < limit; i++) {
    const next = receiveMessageOnPort(parentPort);
    if (next === undefined) return;
    yield next.message as JournalRequest;
  }
}

/**
 * Any error of the journal ends this thread: after a failed write or sync nobody knows what the file
 * holds, and trying again on it could acknowledge what is not there. Recovery at the next start finds out.
 */
function orDie<T>(open: StoreRequest[], action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    send({ outcomes: open.map(({ id }) => [id, { status: "failed" }]) });
    const { code, hint } =
      error instanceof AuditError
        ? error
        : {
            code: "journal_failed",
            hint: "check the disk, then start again: recovery is automatic",
          };
    send({ fatal: { code, message: `the journal failed: ${(error as Error).message}`, hint } });
    parentPort?.close();
    return null;
  }
}

function send(reply: JournalReply): void {
  parentPort?.postMessage(reply);
}
