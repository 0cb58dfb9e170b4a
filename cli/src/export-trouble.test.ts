import { describe, expect, it } from "vitest";
import { troubleOfError, troubleOfWarning } from "./export-trouble.js";

describe("troubleOfError", () => {
  it.each([
    ["connect ECONNREFUSED", "connect ECONNREFUSED"],
    [JSON.stringify({ stack: "…", message: 'no "door"\there' }), 'no "door"\\u0009here'],
    [JSON.stringify({ name: "Error" }), '{"name":"Error"}'],
    ["null", "null"],
    ["x".repeat(300), "x".repeat(200)],
  ])("makes one line of %s", (message, line) => {
    expect(troubleOfError(message)).toBe(line);
  });
});

describe("troubleOfWarning", () => {
  const partial = "Received Partial Success response:";
  it.each([
    [partial, '{"rejectedLogRecords":"2","errorMessage":"why"}', "the server refused 2: why"],
    [partial, '{"errorMessage":"taken, but old"}', null],
    ["Dropping extra attributes.", undefined, null],
  ])("takes %s %s", (message, detail, line) => {
    expect(troubleOfWarning(message, detail)).toBe(line);
  });
});
