import { expect, it } from "vitest";
import { capturesContent } from "./content-option.js";

it.each([
  [true, undefined, true],
  [true, "", true],
  [true, "on", true],
  [true, "off", false],
  [false, "on", false],
])("option %s and variable %s: content is captured: %s", (option, variable, captured) => {
  expect(capturesContent(option, { AGENT_AUDIT_CONTENT: variable })).toBe(captured);
});

it("refuses another setting: it could be meant either way", () => {
  expect(() => capturesContent(true, { AGENT_AUDIT_CONTENT: "no" })).toThrow(
    expect.objectContaining({ code: "invalid_content_setting" }),
  );
});
