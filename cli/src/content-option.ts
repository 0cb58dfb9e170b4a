import { AuditError } from "@agent-audit/schema";

/**
 * Reads whether content is captured: arguments, results and output, not the command line or names.
 *
 * @throws AuditError `invalid_content_setting`
 */
export function capturesContent(option: boolean, env = process.env): boolean {
  const setting = env.AGENT_AUDIT_CONTENT || "on";
  if (setting !== "on" && setting !== "off") {
    throw new AuditError(
      "invalid_content_setting",
      `AGENT_AUDIT_CONTENT is ${JSON.stringify(setting)}`,
      "set it to on or off",
    );
  }
  return option && setting === "on";
}
