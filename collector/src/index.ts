export { collectorConfig } from "./config.js";
export { GroupCommit } from "./group-commit.js";
export { Ingest, type IngestOptions } from "./ingest.js";
export { type IngestCounters, SYNC_BUCKETS_SECONDS } from "./ingest-counters.js";
export { JournalClient } from "./journal-client.js";
export { Receiver, type ReceiverOptions } from "./receiver.js";
export { NO_SENDER, type Sender } from "./sender.js";
export type { ServerEvent } from "./server-event.js";
