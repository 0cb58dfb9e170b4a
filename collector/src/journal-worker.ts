import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { AuditError } from "@agent-audit/schema";
import { IdentityThread, SharedPosition, ThreadSyncer } from "@agent-audit/store";
import { GroupCommit } from "./group-commit.js";
import { Ingest } from "./ingest.js";
import type { JournalReply, JournalRequest, JournalWorkerData } from "./journal-messages.js";

// The one thread that writes the journal; beside it one that syncs, and one that writes identity files. All work
// synchronously: DuckDB's calls and Node's own fdatasync share four threads, so an asynchronous sync would wait behind queries.

/** Bodies that are taken from the queue at once. */
const GROUP_SIZE = 64;

const { positionBuffer, ...options } = workerData as JournalWorkerData;
const position = new SharedPosition(positionBuffer);
const syncer = await ThreadSyncer.open(() => orDie(() => commit?.sync()));
const identities = await IdentityThread.open(options.directory, (error) =>
  orDie(() => {
    throw error;
  }),
);
const writeIdentity = identities.write.bind(identities);
const ingest = orDie(() => new Ingest({ ...options, syncer, writeIdentity }));
const commit = ingest === null ? null : open(ingest);
parentPort?.on("message", (first: JournalRequest) => orDie(() => take(first)));

function open(ingest: Ingest): GroupCommit {
  position.syncedSeq = ingest.syncedSeq;
  send({ ready: { cut: ingest.cut, streams: ingest.streams } });
  return new GroupCommit(ingest, (outcomes) => {
    position.syncedSeq = ingest.syncedSeq;
    const { counters, streams, hasRoom } = ingest;
    send({ outcomes, counters, streams, hasRoom });
  });
}

/** Takes a message and all that wait behind it. */
function take(first: JournalRequest): void {
  const begin = performance.now();
  const requests = [first, ...waiting(GROUP_SIZE - 1)];
  for (const request of requests) {
    if ("begin" in request) beginWriting();
    else if ("event" in request) commit?.record(request.id, request.event);
    else if ("id" in request) commit?.store(request.id, request);
  }
  if (requests.some((request) => "close" in request)) close();
  else commit?.sync();
  position.addIngestBusy(performance.now() - begin);
}

function beginWriting(): void {
  ingest?.begin();
  send({ begun: true });
}

function close(): void {
  commit?.close();
  void identities.close().then(() => {
    send({ closed: true });
    parentPort?.close();
  });
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
function orDie<T>(action: () => T): T | null {
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
    send({ fatal: { code, message, hint } });
    syncer.close();
    void identities.close();
    parentPort?.close();
    return null;
  }
}

function send(reply: JournalReply): void {
  parentPort?.postMessage(reply);
}
