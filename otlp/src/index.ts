export {
  type AnyValue,
  isKeyValueList,
  type KeyValue,
  type KeyValueList,
  MAX_ANY_VALUE_DEPTH,
} from "./any-value.js";
export { asBuffer } from "./as-buffer.js";
export {
  type Encoding,
  type PartialSuccess,
  writeExportResponse,
  writeStatus,
} from "./export-response.js";
export { type JsonLogs, readLogsRequestJson } from "./json-reader.js";
export { logRecordJson, resourceJson, scopeJson, writeLogsRequestJson } from "./json-writer.js";
export {
  emptyLogRecord,
  emptyResource,
  emptyScope,
  type InstrumentationScope,
  type LogRecord,
  type LogsRequest,
  type Resource,
  type ResourceLogs,
  type ScopeLogs,
} from "./logs.js";
export {
  MAX_ELEMENTS,
  MalformedRequestError,
  type RecordFaultCode,
} from "./malformed-request-error.js";
export { readAnyValue, readLogsRequest } from "./protobuf-reader.js";
export { writeLogsRequest } from "./protobuf-writer.js";
export { type LogsScan, LogsScanner } from "./scan.js";
export { spliceLogsRequest } from "./splice.js";
export { StringPool } from "./string-pool.js";
