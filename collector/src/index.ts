export { collectorConfig } from "./config.js";
export { JournalClient } from "./journal-client.js";
export { Receiver, type ReceiverOptions } from "./receiver.js";
