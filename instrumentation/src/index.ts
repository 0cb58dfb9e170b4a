export {
  type Auditor,
  type AuditorCounters,
  type AuditorOptions,
  createAuditor,
  type StartedAction,
} from "./auditor.js";
export type { Identity } from "./identity.js";
export {
  auditMcpClient,
  type McpClientAuditOptions,
  type McpClientLike,
} from "./mcp/audit-mcp-client.js";
export {
  describeMcpCall,
  MCP_METHODS,
  type McpCall,
  type McpMethod,
  type McpOutcome,
} from "./mcp/describe-mcp-call.js";
export type { RecordInput } from "./record-input.js";
export {
  auditedExec,
  auditedSpawn,
  type CommandStart,
  type ShellAuditOptions,
  startedProcess,
  startOf,
  watchProcess,
} from "./shell/audited-process.js";
export { type Command, type CommandOutcome, describeCommand } from "./shell/describe-command.js";
