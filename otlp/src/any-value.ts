/**
 * Holds one OTLP `AnyValue` without loss: `null` is the empty AnyValue, `bigint` an int64, `number` a
 * double, an array an ArrayValue.
 *
 * @see opentelemetry-proto `common/v1/common.proto`, `AnyValue`
 */
export type AnyValue =
  | null
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | AnyValue[]
  | KeyValueList;

/** Holds an OTLP `KeyValue`. An unset value reads as `null`, the empty AnyValue. */
export interface KeyValue {
  key: string;
  value: AnyValue;
}

/** Holds an OTLP `KeyValueList`: pairs in wire order, duplicate keys kept. */
export interface KeyValueList {
  values: KeyValue[];
}

/** Nesting of AnyValue that is accepted; a record that nests deeper is rejected alone. Stock protobuf runtimes stop at 100 messages. */
export const MAX_ANY_VALUE_DEPTH = 128;

/** Tells the kvlist form of an AnyValue from all others. */
export function isKeyValueList(value: AnyValue): value is KeyValueList {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}
