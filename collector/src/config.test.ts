import { constants } from "node:buffer";
import { describe, expect, it } from "vitest";
import { collectorConfig } from "./config.js";

describe("otlp.max_body_bytes", () => {
  const parse = (max_body_bytes: number) =>
    collectorConfig.safeParse({ otlp: { max_body_bytes, max_in_flight_bytes: 2 ** 40 } });

  it.each([1024, 268_435_456])("takes %i", (bytes) => {
    expect(parse(bytes).success).toBe(true);
    expect(bytes).toBeLessThanOrEqual(constants.MAX_STRING_LENGTH);
  });

  it.each([1023, 268_435_457, constants.MAX_STRING_LENGTH + 1])("refuses %i", (bytes) => {
    expect(parse(bytes).error?.issues.map(({ path }) => path.join("."))).toEqual([
      "otlp.max_body_bytes",
    ]);
  });
});
