import { isUtf8 } from "node:buffer";
import { type AnyValue, type KeyValue, MAX_ANY_VALUE_DEPTH } from "./any-value.js";
import { asBuffer } from "./as-buffer.js";
import { JsonCursor } from "./json-cursor.js";
import { parseBase64, parseDouble, parseInteger } from "./json-scalars.js";
import {
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
import {
  checkElementCount,
  checkRecordCount,
  MAX_ELEMENTS,
  type RecordFaultCode,
} from "./malformed-request-error.js";
import { isAllZero } from "./trace-id.js";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;
const INT32_MIN = -(2n ** 31n);
const INT32_MAX = 2n ** 31n - 1n;
const UINT32_MAX = 2n ** 32n - 1n;

/** In UTF-16 units: no known name is longer in snake_case, and to replace in one of any length takes its bytes many times over. */
const MAX_SNAKE_CASE_LENGTH = 64;

/** Gives what one OTLP/JSON body held. */
export interface JsonLogs {
  /** The sound records, in order. */
  request: LogsRequest;
  /** Records that cannot be kept: their position in the body, the reason and their own JSON text. */
  faults: { index: number; code: RecordFaultCode; reason: string; text: string }[];
  /** Positions of records that were kept with a value out of range or ill-formed text replaced. */
  repaired: number[];
}

/** Costs one record: thrown inside it, caught around it. No Error, whose stack would cost more than the record. */
class RecordFault {
  readonly code: RecordFaultCode;
  readonly message: string;

  constructor(code: RecordFaultCode, message: string) {
    this.code = code;
    this.message = message;
  }
}

/**
 * Reads an `ExportLogsServiceRequest` from OTLP/JSON, one fault per record.
 *
 * Accepts what peers really send: lowerCamelCase and snake_case names, 64-bit integers as string, number
 * or exponent form, `null` for unset, enum names, ids in either case, a byte order mark. Unknown fields
 * are ignored at every level.
 *
 * @throws MalformedRequestError `malformed_json` on a syntax fault, or a wrong structure above the log record
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function readLogsRequestJson(body: Uint8Array): JsonLogs {
  const text = asBuffer(body).toString("utf8");
  return new LogsJsonReader(text.startsWith("\uFEFF") ? text.slice(1) : text, isUtf8(body)).read();
}

class LogsJsonReader {
  readonly #cursor: JsonCursor;
  readonly #isWellFormed: boolean;
  readonly #logs: JsonLogs = { request: { resourceLogs: [] }, faults: [], repaired: [] };
  #index = 0;
  #elements = 0;
  #isInRecord = false;
  #isRepaired = false;

  constructor(text: string, isWellFormed: boolean) {
    this.#cursor = new JsonCursor(text);
    this.#isWellFormed = isWellFormed;
  }

  read(): JsonLogs {
    const { resourceLogs } = this.#logs.request;
    this.#message("the request", (name) => {
      if (name !== "resourceLogs") return false;
      this.#list(name, () => resourceLogs.push(this.#resourceLogs()));
      return true;
    });
    this.#cursor.end();
    return this.#logs;
  }

  #resourceLogs(): ResourceLogs {
    const group: ResourceLogs = { resource: null, scopeLogs: [], schemaUrl: "" };
    this.#message("resourceLogs", (name) => {
      if (name === "resource") group.resource = this.#resource();
      else if (name === "scopeLogs") {
        this.#list(name, () => group.scopeLogs.push(this.#scopeLogs()));
      } else if (name === "schemaUrl") group.schemaUrl = this.#text(name);
      else return false;
      return true;
    });
    return group;
  }

  #resource(): Resource {
    const resource = emptyResource();
    this.#message("resource", (name) => {
      if (name === "attributes") resource.attributes = this.#keyValues(1);
      else if (name === "droppedAttributesCount") {
        resource.droppedAttributesCount = this.#uint32(name);
      } else return false;
      return true;
    });
    return resource;
  }

  #scopeLogs(): ScopeLogs {
    const group: ScopeLogs = { scope: null, logRecords: [], schemaUrl: "" };
    this.#message("scopeLogs", (name) => {
      if (name === "scope") group.scope = this.#scope();
      else if (name === "logRecords") {
        this.#list(name, () => this.#guardedLogRecord(group.logRecords));
      } else if (name === "schemaUrl") group.schemaUrl = this.#text(name);
      else return false;
      return true;
    });
    return group;
  }

  #scope(): InstrumentationScope {
    const scope = emptyScope();
    this.#message("scope", (name) => {
      if (name === "name") scope.name = this.#text(name);
      else if (name === "version") scope.version = this.#text(name);
      else if (name === "attributes") scope.attributes = this.#keyValues(1);
      else if (name === "droppedAttributesCount") {
        scope.droppedAttributesCount = this.#uint32(name);
      } else return false;
      return true;
    });
    return scope;
  }

  /** Reads one record; a fault of its structure costs it alone, a fault of syntax the whole body. */
  #guardedLogRecord(into: LogRecord[]): void {
    const cursor = this.#cursor;
    const start = cursor.position;
    const index = this.#index++;
    checkRecordCount(this.#index, start);
    this.#isRepaired = !this.#isWellFormed;
    cursor.hasReplacedSurrogate = false;
    this.#isInRecord = true;
    try {
      into.push(this.#logRecord());
      if (this.#isRepaired || cursor.hasReplacedSurrogate) this.#logs.repaired.push(index);
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      cursor.position = start;
      cursor.skip();
      const text = cursor.text.slice(start, cursor.position).trim();
      const { code, message: reason } = error;
      this.#logs.faults.push({ index, code, reason, text });
    } finally {
      this.#isInRecord = false;
    }
  }

  #logRecord(): LogRecord {
    const record = emptyLogRecord();
    this.#message("a log record", (name) => {
      switch (name) {
        case "timeUnixNano":
          record.timeUnixNano = this.#uint(name, UINT64_MAX);
          break;
        case "observedTimeUnixNano":
          record.observedTimeUnixNano = this.#uint(name, UINT64_MAX);
          break;
        case "severityNumber":
          record.severityNumber = this.#severityNumber();
          break;
        case "severityText":
          record.severityText = this.#text(name);
          break;
        case "body":
          record.body = this.#anyValue(1);
          break;
        case "attributes":
          record.attributes = this.#keyValues(1);
          break;
        case "droppedAttributesCount":
          record.droppedAttributesCount = this.#uint32(name);
          break;
        case "flags":
          record.flags = this.#uint32(name);
          break;
        case "traceId":
          record.traceId = this.#id(name, 32);
          break;
        case "spanId":
          record.spanId = this.#id(name, 16);
          break;
        case "eventName":
          record.eventName = this.#text(name);
          break;
        default:
          return false;
      }
      return true;
    });
    return record;
  }

  #keyValues(depth: number): KeyValue[] {
    const pairs: KeyValue[] = [];
    this.#list("attributes", () => pairs.push(this.#keyValue(depth)));
    return pairs;
  }

  #keyValue(depth: number): KeyValue {
    const pair: KeyValue = { key: "", value: null };
    this.#message("a key-value pair", (name) => {
      if (name === "key") pair.key = this.#text(name);
      else if (name === "value") pair.value = this.#anyValue(depth);
      else return false;
      return true;
    });
    return pair;
  }

  #anyValue(depth: number): AnyValue {
    if (depth > MAX_ANY_VALUE_DEPTH) {
      this.#wrong(`an AnyValue nests deeper than ${MAX_ANY_VALUE_DEPTH}`, "nesting_too_deep");
    }
    let value: AnyValue = null;
    this.#message("an AnyValue", (name) => {
      switch (name) {
        case "stringValue":
          value = this.#text(name);
          break;
        case "boolValue":
          if (this.#cursor.kind() !== "boolean") this.#wrong("boolValue is no boolean");
          value = this.#cursor.boolean();
          break;
        case "intValue":
          value = this.#int64();
          break;
        case "doubleValue": {
          const double = parseDouble(this.#scalar(name));
          if (double === undefined) this.#wrong("doubleValue is no number");
          value = double;
          break;
        }
        case "arrayValue":
          value = this.#values((values: AnyValue[]) => values.push(this.#anyValue(depth + 1)));
          break;
        case "kvlistValue":
          value = {
            values: this.#values((values: KeyValue[]) => values.push(this.#keyValue(depth + 1))),
          };
          break;
        case "bytesValue": {
          const bytes = parseBase64(this.#text(name));
          if (bytes === undefined) this.#wrong("bytesValue is not base64");
          value = bytes;
          break;
        }
        default:
          return false;
      }
      return true;
    });
    return value;
  }

  #values<T>(visit: (into: T[]) => void): T[] {
    const values: T[] = [];
    this.#message("a list value", (name) => {
      if (name !== "values") return false;
      this.#list(name, () => visit(values));
      return true;
    });
    return values;
  }

  #int64(): bigint | number {
    const text = this.#scalar("intValue");
    const value = parseInteger(text);
    if (value === "invalid") this.#wrong("intValue is no number");
    if (typeof value === "bigint" && value >= INT64_MIN && value <= INT64_MAX) return value;
    this.#isRepaired = true;
    return Number(text);
  }

  #uint(name: string, max: bigint): bigint {
    const value = parseInteger(this.#scalar(name));
    if (value === "invalid") this.#wrong(`${name} is no number`);
    if (typeof value === "bigint" && value >= 0n && value <= max) return value;
    this.#isRepaired = true;
    return 0n;
  }

  #uint32(name: string): number {
    return Number(this.#uint(name, UINT32_MAX));
  }

  /** Reads an enum: a number, or a name such as `SEVERITY_NUMBER_WARN2`; an unknown name is 0. */
  #severityNumber(): number {
    const text = this.#scalar("severityNumber");
    const value = parseInteger(text);
    if (value === "invalid") return SEVERITY_NUMBERS.indexOf(text) + 1;
    if (typeof value === "bigint" && value <= INT32_MAX && value >= INT32_MIN) return Number(value);
    this.#isRepaired = true;
    return 0;
  }

  /** Reads an id in hex; any other length or form is absent. */
  #id(name: string, digits: number): string {
    const hex = this.#text(name).toLowerCase();
    return hex.length === digits && /^[0-9a-f]+$/.test(hex) && !isAllZero(hex) ? hex : "";
  }

  #text(name: string): string {
    if (this.#cursor.kind() !== "string") this.#wrong(`${name} is no string`);
    return this.#cursor.string();
  }

  /** Reads the digits of a number that may stand in quotes. */
  #scalar(name: string): string {
    const kind = this.#cursor.kind();
    if (kind === "string") return this.#cursor.string();
    if (kind !== "number") this.#wrong(`${name} is no number`);
    return this.#cursor.number();
  }

  /** Reports a wrong structure: inside a record it costs the record, above it the request. */
  #wrong(message: string, code: RecordFaultCode = "malformed_record"): never {
    if (this.#isInRecord) throw new RecordFault(code, message);
    return this.#cursor.fail(message);
  }

  /** Visits the members of an object that are set; `read` answers whether it knew the name. */
  #message(what: string, read: (name: string) => boolean): void {
    const cursor = this.#cursor;
    if (cursor.kind() !== "object") this.#wrong(`${what} is no object`);
    cursor.object((key) => {
      if (cursor.null()) return;
      if (!read(camelCase(key))) cursor.skip();
    });
  }

  #list(what: string, visit: () => void): void {
    if (this.#cursor.kind() !== "array") this.#wrong(`${what} is no array`);
    this.#cursor.array(() => {
      checkElementCount(++this.#elements, MAX_ELEMENTS, this.#cursor.position);
      visit();
    });
  }
}

function camelCase(name: string): string {
  if (name.length > MAX_SNAKE_CASE_LENGTH || !name.includes("_")) return name;
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const SEVERITY_NUMBERS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap((name) =>
  ["", "2", "3", "4"].map((step) => `SEVERITY_NUMBER_${name}${step}`),
);
