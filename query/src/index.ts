export type { Administration } from "./admin.js";
export type { AggregateAnswer } from "./aggregate.js";
export { queryConfig } from "./config.js";
export type { EventJson } from "./event-json.js";
export type { EventsPage } from "./events.js";
export type { FacetsAnswer } from "./facets.js";
export { type QuarantineReader, quarantineEntry, quarantinePage } from "./quarantine.js";
export { QueryServer, type QueryServerOptions } from "./query-server.js";
export {
  checkHold,
  type PlannedSegment,
  Retention,
  type RetentionPlan,
  refuseWithoutRetention,
} from "./retention.js";
export { silentStreams } from "./silent-streams.js";
export type { TimeseriesAnswer } from "./timeseries.js";
