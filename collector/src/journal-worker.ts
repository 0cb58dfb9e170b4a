import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { AuditError } from "@agent-audit/schema";
import { SharedPosition } from "@agent-audit/store";
import { Ingest } from "./ingest.js";
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

const { positionBuffer, ...options } = workerData as JournalWorkerData;
const position = new SharedPosition(positionBuffer);

start();

function start(): void {
  const ingest = orDie([], () => new Ingest(options));
  if (ingest === null) return;
  position.syncedSeq = ingest.syncedSeq;
  send({ ready: { cut: ingest.cut } });
  parentPort?.on("message", (first: JournalRequest) => {
    const requests = [first, ...waiting(GROUP_SIZE - 1)];
    const bodies = requests.filter((request): request is StoreRequest => "id" in request);
    if (bodies.length > 0 && !storeGroup(ingest, bodies)) return;
    if (bodies.length < requests.length) close(ingest);
  });
}

function storeGroup(ingest: Ingest, bodies: StoreRequest[]): boolean {
  const outcomes = orDie(bodies, () => ingest.storeGroup(bodies));
  if (outcomes === null) return false;
  position.syncedSeq = ingest.syncedSeq;
  const { counters, hasRoom } = ingest;
  send({
    outcomes: bodies.map(({ id }, i) => [id, outcomes[i] as StoreOutcome]),
    counters,
    hasRoom,
  });
  return true;
}

function close(ingest: Ingest): void {
  orDie([], () => ingest.close());
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

/** Any error of the journal ends this thread: recovery at the next start finds out what is on disk. */
function orDie<T>(open: StoreRequest[], action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    const { code, hint } =
      error instanceof AuditError
        ? error
        : {
            code: "journal_failed",
            hint: "check the disk, then start again: recovery is automatic",
          };
    const message = `the journal failed: ${(error as Error).message}`;
    send({ fatal: { code, message, hint }, failed: open.map(({ id }) => id) });
    parentPort?.close();
    return null;
  }
}

function send(reply: JournalReply): void {
  parentPort?.postMessage(reply);
}
