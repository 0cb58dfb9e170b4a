import { expect, it } from "vitest";
import { jsonLine, printable } from "./printable.js";

/** Each moves a cursor, turns text around, or hides: also those of one byte beyond ASCII, and of two UTF-16 units. */
const HARMFUL = [
  "\u001b[2J",
  "\u009b2J",
  "\u202e",
  "\u061c",
  "\u00ad",
  "\u200b",
  "\u{e0041}",
  "\u2028",
];

it("what could harm a terminal is escaped", () => {
  expect(HARMFUL.map((text) => printable(`a${text}`))).toEqual([
    "a\\u001b[2J",
    "a\\u009b2J",
    "a\\u202e",
    "a\\u061c",
    "a\\u00ad",
    "a\\u200b",
    "a\\udb40\\udc41",
    "a\\u2028",
  ]);
});

it("in JSON, too, which means the same", () => {
  const line = jsonLine({ description: HARMFUL });
  expect(line.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
  expect(JSON.parse(line)).toEqual({ description: HARMFUL });
});
