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
let isDead = false;
const [syncer, identityWriter] = await Promise.all([
  ThreadSyncer.open(() => orDie(() => commit?.sync())),
  IdentityThread.open(options.directory, die),
]);
const ingest = orDie(() => new Ingest({ ...options, syncer, identityWriter }));
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
  commit?.sync();
  if (requests.some((request) => "close" in request)) close();
  position.addIngestBusy(performance.now() - begin);
}

function beginWriting(): void {
  ingest?.begin();
  send({ begun: true });
}

/** What comes while an identity file is written to its end is taken as ever. */
function close(): void {
  void identityWriter.close().then(() => {
    if (isDead) return;
    orDie(() => {
      commit?.close();
      send({ closed: true });
      parentPort?.close();
    });
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
    die(error as Error);
    return null;
  }
}

function die(error: Error): void {
  isDead = true;
  const { code, hint } =
    error instanceof AuditError
      ? error
      : {
          code: "journal_failed",
          hint: "check the disk, then start again: recovery is automatic",
        };
  const message = `the journal failed: ${error.message}`;
  send({ fatal: { code, message, hint } });
  syncer.close();
  void identityWriter.close();
  parentPort?.close();
}

function send(reply: JournalReply): void {
  parentPort?.postMessage(reply);
}
