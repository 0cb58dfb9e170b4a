import os from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { AuditError } from "@agent-audit/schema";
import { makeDataDirectory } from "../data-directory.js";
import { SharedPosition } from "../shared-position.js";
import { Engine } from "./engine.js";
import type {
  EngineCalls,
  EngineReply,
  EngineRequest,
  EngineWorkerData,
  ErrorMessage,
} from "./engine-messages.js";
import type { QueryRequest } from "./query-runner.js";

// The one thread that owns DuckDB. `EngineClient` is its other end.

const { root, positionBuffer, ...options } = workerData as EngineWorkerData;
let engine: Engine | null = null;

/** A third of a normal thread's share. Lower, and a busy machine would starve stops and sealing. Queries have less: `agent-audit.cjs`. */
const NICENESS = 5;

yieldToIngest();

/** Where cores are short, acknowledging comes first: the engine may lag, and says by how much. */
function yieldToIngest(): void {
  if (process.platform !== "linux") return;
  try {
    // On Linux id 0 is the calling thread, and threads that it starts inherit its priority.
    os.setPriority(0, NICENESS);
  } catch {
    // Not permitted here: everything works, with less headroom for ingest.
  }
}

parentPort?.on("message", async ({ id, method, argument }: EngineRequest) => {
  try {
    reply({ id, result: await call(id, method, argument) });
  } catch (error) {
    reply({ id, error: errorMessage(error) });
  }
  if (method === "close") parentPort?.close();
});

async function call(id: number, method: keyof EngineCalls, argument: unknown): Promise<unknown> {
  if (method === "open") {
    engine = await Engine.open({
      directory: makeDataDirectory(root),
      position: new SharedPosition(positionBuffer),
      ...options,
      onSetAside: (seq, reason) => reply({ setAside: { seq, reason } }),
      onDamaged: (segment, reason) => reply({ damaged: { segment, reason } }),
      onFault: (message) => reply({ fault: message }),
      onSegmentEnded: () => reply({ segmentEnded: true }),
      onProgress: (progress) => reply({ progress }),
    });
    return undefined;
  }
  if (engine === null) throw new Error(`${method} before open`);
  switch (method) {
    case "prepare":
      return await engine.prepare();
    case "verify":
      return await engine.loss.refuse();
    case "acceptJournalLoss":
      return await engine.loss.accept();
    case "unrecordedLosses":
      return [...engine.catalog.unrecordedLosses];
    case "lossRecorded":
      return engine.catalog.lossRecorded();
    case "follow":
      return await engine.follow((error) => reply({ fatal: errorMessage(error) }));
    case "query":
      return await engine.queries.rows(argument as QueryRequest, id);
    case "queryColumns":
      return await engine.queries.columns(argument as QueryRequest, id);
    case "cancelQuery":
      return engine.queries.cancel((argument as EngineCalls["cancelQuery"]["request"]).id);
    case "lease":
      return await engine.lease(argument as EngineCalls["lease"]["request"]);
    case "release":
      return engine.release((argument as EngineCalls["release"]["request"]).lease);
    case "segments":
      return engine.segmentStatus();
    case "exportLines": {
      const slice = argument as EngineCalls["exportLines"]["request"];
      return engine.journal.exportLines(
        slice.afterSeq,
        slice.uptoSeq,
        slice.maxRecords,
        slice.scope,
      );
    }
    case "rawRecord": {
      const { seq } = argument as EngineCalls["rawRecord"]["request"];
      return engine.journal.rawRecord(seq);
    }
    case "quarantine": {
      const { before, limit, scope } = argument as EngineCalls["quarantine"]["request"];
      return engine.journal.quarantine(before, limit, scope);
    }
    case "quarantineEntry": {
      const { place, scope } = argument as EngineCalls["quarantineEntry"]["request"];
      return engine.journal.quarantineEntry(place, scope);
    }
    case "retentionCandidates": {
      const { beforeDay } = argument as EngineCalls["retentionCandidates"]["request"];
      return engine.retentionCandidates(beforeDay);
    }
    case "drop":
      return await engine.drop((argument as EngineCalls["drop"]["request"]).name);
    case "remake":
      return engine.remake((argument as EngineCalls["remake"]["request"]).name);
    case "holds":
      return engine.catalog.holds;
    case "addHold":
      return engine.catalog.addHold(argument as EngineCalls["addHold"]["request"]);
    case "removeHold":
      return engine.catalog.removeHold((argument as EngineCalls["removeHold"]["request"]).id);
    case "close":
      return await engine.close();
    default:
      return method satisfies never;
  }
}

function reply(message: EngineReply): void {
  parentPort?.postMessage(message);
}

function errorMessage(error: unknown): ErrorMessage {
  if (error instanceof AuditError) {
    return { code: error.code, message: error.message, hint: error.hint };
  }
  return {
    code: "engine_error",
    message: error instanceof Error ? error.message : String(error),
    hint: "see the server's log",
  };
}
