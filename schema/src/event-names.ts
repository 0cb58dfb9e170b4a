// `EventName` of the records that this project emits: low in cardinality, one per kind of action.

/** One MCP tool call, resource read or prompt. */
export const EVENT_MCP_TOOL_CALL = "agent_audit.mcp.tool_call";

/** One Kubernetes API request. */
export const EVENT_K8S_REQUEST = "agent_audit.k8s.request";

/** One command run by a shell or as a process. */
export const EVENT_SHELL_COMMAND = "agent_audit.shell.command";

/** One HTTP request through the forward proxy. */
export const EVENT_HTTP_REQUEST = "agent_audit.http.request";

/** One CONNECT tunnel through the forward proxy. */
export const EVENT_HTTP_CONNECT = "agent_audit.http.connect";

/** One step in a sandbox's life. */
export const EVENT_SANDBOX_LIFECYCLE = "agent_audit.sandbox.lifecycle";

/** One file operation inside a sandbox. */
export const EVENT_SANDBOX_FILE = "agent_audit.sandbox.file";

/** One AWS API request. */
export const EVENT_AWS_REQUEST = "agent_audit.aws.request";

/** One LLM request. */
export const EVENT_LLM_REQUEST = "agent_audit.llm.request";

/** An emitter's sign of life. */
export const EVENT_HEARTBEAT = "agent_audit.heartbeat";

/** Records that an emitter had to drop. */
export const EVENT_GAP = "agent_audit.gap";

/** The server started; from the server only. */
export const EVENT_SERVER_START = "agent_audit.server.start";

/** The server stopped; from the server only. */
export const EVENT_SERVER_STOP = "agent_audit.server.stop";

/** Somebody asked the query API; from the server only. */
export const EVENT_QUERY = "agent_audit.query";

/** A segment was dropped; from the server only. */
export const EVENT_RETENTION_DROP = "agent_audit.retention.drop";

/** Events were put under a hold, or it was lifted; from the server only. */
export const EVENT_RETENTION_HOLD = "agent_audit.retention.hold";

/** A key was made or revoked; from the server only. */
export const EVENT_KEY_CHANGE = "agent_audit.key.change";

/** The trail was sealed up to here; from the server only. */
export const EVENT_CHECKPOINT = "agent_audit.checkpoint";
