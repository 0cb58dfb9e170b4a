import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { spliceLogsRequest } from "@agent-audit/otlp";
import { AuditError } from "@agent-audit/schema";
import {
  encodeQuarantine,
  JournalWriter,
  loadSeenRecords,
  type NewFrame,
  SeenRecords,
  SharedPosition,
  saveSeenRecords,
} from "@agent-audit/store";
import { type Admission, admit, type Fault } from "./admit.js";
import type {
  JournalCounters,
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
/** Faulty records of one request whose bytes are kept. */
const MAX_KEPT_FAULTS = 100;

/** There are no keys yet, so no sender is known by one. */
const NO_SENDER = { keyId: "", orgId: "", projectId: "" };

const { directory, storeId, positionBuffer } = workerData as JournalWorkerData;
const position = new SharedPosition(positionBuffer);
const now = () => BigInt(Date.now()) * 1_000_000n;

let seen = new SeenRecords();
const counters: JournalCounters = {
  received: 0,
  stored: 0,
  duplicates: 0,
  conflicts: 0,
  quarantined: 0,
};

start();

function start(): void {
  const journal = orDie([], () => {
    const onRotate = (firstSeq: bigint) => saveSeenRecords(directory, firstSeq, seen);
    const writer = new JournalWriter({ directory, storeId, now, onRotate });
    seen = loadSeenRecords(directory, writer.syncedSeq);
    onRotate(writer.nextSeq);
    return writer;
  });
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
    const settled = bodies.map((body): [number, StoreOutcome] => [body.id, store(journal, body)]);
    journal.sync();
    position.syncedSeq = journal.syncedSeq;
    return settled;
  });
  if (outcomes === null) return false;
  send({ outcomes, counters });
  return true;
}

function store(journal: JournalWriter, request: StoreRequest): StoreOutcome {
  const admission = admit(request);
  if (admission.status === "refused") return admission;
  const { faults, rejectedCount, digest } = admission;
  const receivedNano = now();
  const append = (kind: NewFrame["kind"], payload: Uint8Array, recordCount: number) =>
    journal.append({ kind, payload, recordCount, receivedNano, digest, ...NO_SENDER });
  journal.rotateIfDue(receivedNano);
  const { payload, recordCount } = withoutDuplicates(admission, receivedNano);
  const firstSeq = recordCount > 0 ? append("records", payload, recordCount) : null;
  for (const fault of bounded(faults)) append("quarantine", encodeQuarantine(fault), 0);
  counters.stored += recordCount;
  counters.quarantined += faults.length;
  return {
    status: "stored",
    lastSeq: firstSeq === null ? 0n : firstSeq + BigInt(recordCount) - 1n,
    rejectedCount,
    reason: faults[0]?.reason ?? "",
  };
}

/** Keeps the first faults of a request one by one, and of the rest the number: a body can hold thousands. */
function bounded(faults: readonly Fault[]): Fault[] {
  if (faults.length <= MAX_KEPT_FAULTS) return [...faults];
  const rest = faults.length - MAX_KEPT_FAULTS;
  const reason = `${rest} more records of this request were set aside; their bytes are not kept`;
  return [...faults.slice(0, MAX_KEPT_FAULTS), { reason, bytes: new Uint8Array() }];
}

/** Takes out what was stored before: its sender did not hear of it, and is told now. */
function withoutDuplicates(
  { payload, scan, digest }: Extract<Admission, { status: "admitted" }>,
  receivedNano: bigint,
): { payload: Uint8Array; recordCount: number } {
  const standings = seen.classify({ payload, scan, digest, receivedNano, ...NO_SENDER });
  const duplicates = standings.filter((standing) => standing === "duplicate").length;
  counters.received += standings.length;
  counters.duplicates += duplicates;
  counters.conflicts += standings.filter((standing) => standing === "conflict").length;
  const recordCount = standings.length - duplicates;
  if (duplicates === 0 || recordCount === 0) return { payload, recordCount };
  const kept = spliceLogsRequest(payload, (index) => standings[index] !== "duplicate");
  return { payload: kept, recordCount };
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
    send({ outcomes: open.map(({ id }) => [id, { status: "failed" }]), counters });
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
