import { isLoopbackHost, KeyRing, keyFile } from "@agent-audit/access";
import { JournalClient, Receiver } from "@agent-audit/collector";
import { QueryServer, silentStreams } from "@agent-audit/query";
import { AuditError } from "@agent-audit/schema";
import { Store, shareOf } from "@agent-audit/store";
import { DirectoryAdministration } from "./administration.js";
import { checkListeners } from "./listeners.js";
import { Metrics } from "./metrics.js";
import { Retainer } from "./retainer.js";
import { diskGuardLimits, journalOptions, keepDays, type ServerConfig } from "./server-config.js";
import { journalLossEvent } from "./server-events.js";
import type { ServerLog } from "./server-log.js";
import { VERSION } from "./version.js";

/** A running server. */
export interface RunningServer {
  otlpUrl: string;
  apiUrl: string;
  /** Resolves when queries see all that the journal held at the start; ingest is ready before. */
  queriesReady: Promise<void>;
  /** Answers what is open, makes it durable, and closes everything. */
  stop(): Promise<void>;
}

export interface ServerHooks {
  log: ServerLog;
  /** Called once when the server cannot go on; the process must end: with 75 unless the error has another exit code. */
  onFatal: (error: Error) => void;
}

/**
 * Starts collector, store and query API in this process; see {@link startOnce}.
 *
 * @param acceptsJournalLoss whether to go on without events that the engine has and the journal has lost
 * @throws AuditError when the configuration, the data directory or a port cannot be used
 */
export async function startServer(
  config: ServerConfig,
  hooks: ServerHooks,
  acceptsJournalLoss = false,
): Promise<RunningServer> {
  try {
    return await startOnce(config, hooks, acceptsJournalLoss);
  } catch (error) {
    if (!(error instanceof JournalLossAccepted)) throw error;
    return await startOnce(config, hooks, false);
  }
}

/** Ends a start after which the data directory has another id. */
class JournalLossAccepted extends Error {}

/**
 * Starts collector, store and query API in this process, in the order that keeps the promises: the data
 * directory's lock first, the ports next (they answer 503), then the journal, and the engine behind it.
 *
 * @throws AuditError when the configuration, the data directory or a port cannot be used
 */
async function startOnce(
  config: ServerConfig,
  hooks: ServerHooks,
  acceptsJournalLoss: boolean,
): Promise<RunningServer> {
  const { log } = hooks;
  const { otlp: otlpAddress, http: apiAddress } = checkListeners(config);
  const keys = new KeyRing(keyFile(config.data));
  let hasFailed = false;
  const onFatal = (error: Error) => {
    if (hasFailed) return;
    hasFailed = true;
    hooks.onFatal(error);
  };
  const opened: { close(): Promise<void> }[] = [];
  try {
    const store = await Store.open({
      data: config.data,
      memoryLimitMib: config.engine.memory_limit_mib,
      threads: config.engine.threads,
      // Half of what ingest leaves: room for what was acknowledged last to become visible.
      diskGuard: shareOf(diskGuardLimits(config), 0.5),
      onFatal,
      onSetAside: (seq, reason) =>
        log.error({ seq: Number(seq), reason }, "a record cannot be shown"),
      onDamaged: (segment, reason) =>
        log.warn({ segment, reason }, `segment ${segment} is made again from the journal`),
      onFault: (error) => log.error({ error }, "a segment cannot be made or sealed"),
      onProgress: ({ segment, records, totalRecords, recordsPerSecond }) =>
        log.info(
          { segment, records, of: totalRecords, per_second: recordsPerSecond },
          `segment ${segment}: ${records} of ${totalRecords} records made from the journal`,
        ),
      onSealingFailed: (error) => log.error({ error }, "a journal file was not sealed"),
    });
    opened.unshift(store);
    let isCaughtUp = false;
    const receiver = await Receiver.listen({
      address: otlpAddress,
      tls: config.otlp.tls,
      maxConnections: config.otlp.max_connections,
      keys,
      // A proxy's callers all seem to be on this machine.
      trustsLoopback: isLoopbackHost(otlpAddress.host) && !config.otlp.behind_tls_proxy,
      maxBodyBytes: config.otlp.max_body_bytes,
      maxInFlightBytes: config.otlp.max_in_flight_bytes,
      onError: (error) => log.error({ error: (error as Error).message }, "the receiver failed"),
    });
    opened.unshift(receiver);
    let openJournal: JournalClient | null = null;
    const metrics = new Metrics({
      receiver,
      store,
      journal: () => openJournal,
      silentStreams: async () => (isCaughtUp ? await countSilentStreams(store) : null),
    });
    const administration = new DirectoryAdministration({
      store,
      dataDirectory: config.data,
      keepDays: keepDays(config),
      record: async (event) => {
        if (openJournal === null) {
          throw new AuditError("starting", "the server is starting", "ask again soon");
        }
        await openJournal.record(event);
      },
    });
    const queries = await QueryServer.listen({
      address: apiAddress,
      tls: config.http.tls,
      maxConnections: config.http.max_connections,
      keys,
      trustsLoopback: isLoopbackHost(apiAddress.host) && !config.http.behind_tls_proxy,
      administration,
      version: VERSION,
      store,
      isCaughtUp: () => isCaughtUp,
      metrics: () => metrics.text(),
      onError: (error, path) =>
        log.error({ path, error: (error as Error).message }, "a query failed"),
    });
    opened.unshift(queries);
    const opening = JournalClient.open({
      store,
      ...journalOptions(config),
      onRoom: (hasRoom) =>
        hasRoom
          ? log.info("the disk has room again: ingest goes on")
          : log.error("the disk is nearly full: ingest answers 503 until there is room"),
      onFatal,
    });
    const [{ journal, cut }] = await Promise.all([opening, store.prepare()]);
    opened.unshift(journal);
    if (cut !== null) log.warn(cut, "cut an unacknowledged tail off the journal");
    // Before anything is acknowledged: sequences that the engine has seen must not be given again.
    try {
      await store.verify();
    } catch (error) {
      if (!acceptsJournalLoss || (error as AuditError).code !== "engine_ahead") throw error;
      await store.acceptJournalLoss();
      throw new JournalLossAccepted();
    }
    await journal.begin();
    openJournal = journal;
    for (const lost of await store.unrecordedLosses()) {
      log.warn(
        { first_seq: Number(lost.firstSeq), last_seq: Number(lost.lastSeq) },
        "acknowledged events are missing from the journal; their loss was accepted",
      );
      await journal.record(journalLossEvent(lost));
      await store.lossRecorded();
    }
    receiver.ready(journal);
    log.info(
      { store_id: store.storeId, journal_seq: Number(store.position.syncedSeq) },
      "ingest is ready",
    );
    const retainer = new Retainer(administration, log);
    const queriesReady = store.follow().then(() => {
      isCaughtUp = true;
      log.info({ applied_seq: Number(store.position.appliedSeq) }, "queries are ready");
      if (keepDays(config) !== null) retainer.start();
    });
    // The caller waits for it and reports what it rejects with.
    queriesReady.catch(() => {});
    return {
      otlpUrl: receiver.url,
      apiUrl: queries.url,
      queriesReady,
      stop: async () => {
        retainer.stop();
        await receiver.drain();
        await journal.close();
        await queries.close();
        await store.close();
        await receiver.close();
        log.info({ ...journal.counters, answers: Object.fromEntries(receiver.answers) }, "stopped");
      },
    };
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}

/** `null` where it cannot be told, as while a segment is rebuilt: the other figures are wanted all the more. */
async function countSilentStreams(store: Store): Promise<number | null> {
  try {
    const snapshot = await store.snapshot();
    try {
      return await silentStreams(snapshot, BigInt(Date.now()) * 1_000_000n);
    } finally {
      snapshot.release();
    }
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}
