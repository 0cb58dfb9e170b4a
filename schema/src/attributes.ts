// Our own attributes: none of them exists in a semantic convention. `audit.*` is left to the OpenTelemetry
// draft that claims it.

/** Version of this schema, e.g. `1.0.0`; string. */
export const ATTR_SCHEMA_VERSION = "agent_audit.schema.version";

/** How long the action took; double, seconds, from 0. */
export const ATTR_DURATION = "agent_audit.duration";

/** Who acted: `user`, `agent` or `system`. */
export const ATTR_ACTOR_TYPE = "agent_audit.actor.type";

/** Stable id of who acted; string. */
export const ATTR_ACTOR_ID = "agent_audit.actor.id";

/** Display name of who acted; string. */
export const ATTR_ACTOR_NAME = "agent_audit.actor.name";

/** Surface at which the action was seen; one of {@link SOURCES}. */
export const ATTR_SOURCE = "agent_audit.source";

/** Low-cardinality kind of action, e.g. `shell_exec`. */
export const ATTR_ACTION_TYPE = "agent_audit.action.type";

/** The action itself, e.g. `CONNECT api.github.com:443`. */
export const ATTR_ACTION_NAME = "agent_audit.action.name";

/** Kind of thing acted on, e.g. `k8s.pods`. */
export const ATTR_RESOURCE_TYPE = "agent_audit.resource.type";

/** Which thing was acted on, e.g. `prod/default/web-0`. */
export const ATTR_RESOURCE_ID = "agent_audit.resource.id";

/** Outcome: `success`, `failure` (refused or reported failure) or `error` (could not be carried out). */
export const ATTR_RESULT = "agent_audit.result";

/** Organisation that the action belongs to; falls back to the resource. */
export const ATTR_ORG_ID = "agent_audit.org.id";

/** Display name of the organisation. */
export const ATTR_ORG_NAME = "agent_audit.org.name";

/** Project that the action belongs to; falls back to the resource. */
export const ATTR_PROJECT_ID = "agent_audit.project.id";

/** Display name of the project. */
export const ATTR_PROJECT_NAME = "agent_audit.project.name";

/** What a policy decided; one of {@link DECISIONS}. */
export const ATTR_DECISION = "agent_audit.decision";

/** Id of the emitter process's stream; string of at most 512 bytes, a UUID from our emitter. */
export const ATTR_STREAM_ID = "agent_audit.stream.id";

/** Position in the stream; int from 1, without holes, assigned before any queue. */
export const ATTR_STREAM_SEQUENCE = "agent_audit.stream.sequence";

/** True on the last record of a clean shutdown. */
export const ATTR_STREAM_END = "agent_audit.stream.end";

/** Keys whose values were redacted; string[]. */
export const ATTR_REDACTED = "agent_audit.redacted";

/** `start` or `end` of a long action; a start carries no result. */
export const ATTR_PHASE = "agent_audit.phase";

/** Joins the start and the end of a long action; string. */
export const ATTR_OPERATION_ID = "agent_audit.operation.id";

/** Name of the MCP server. */
export const ATTR_MCP_SERVER_NAME = "agent_audit.mcp.server.name";

/** Name of the MCP client. */
export const ATTR_MCP_CLIENT_NAME = "agent_audit.mcp.client.name";

/** Version of the MCP client. */
export const ATTR_MCP_CLIENT_VERSION = "agent_audit.mcp.client.version";

/** SHA-256 of the call's arguments as JSON, before redaction; hex. */
export const ATTR_CONTENT_ARGUMENTS_SHA256 = "agent_audit.content.arguments_sha256";

/** SHA-256 of the call's result as JSON, before redaction; hex. */
export const ATTR_CONTENT_RESULT_SHA256 = "agent_audit.content.result_sha256";

/** SHA-256 of the prompt; hex. */
export const ATTR_CONTENT_INPUT_SHA256 = "agent_audit.content.input_sha256";

/** SHA-256 of the completion; hex. */
export const ATTR_CONTENT_OUTPUT_SHA256 = "agent_audit.content.output_sha256";

/** Kubernetes request verb as RequestInfo derives it, e.g. `deletecollection`. */
export const ATTR_K8S_VERB = "agent_audit.k8s.verb";

/** API group; empty for the core group. */
export const ATTR_K8S_API_GROUP = "agent_audit.k8s.api_group";

/** API version, e.g. `v1`. */
export const ATTR_K8S_API_VERSION = "agent_audit.k8s.api_version";

/** Plural resource, e.g. `pods`. */
export const ATTR_K8S_RESOURCE = "agent_audit.k8s.resource";

/** Subresource, e.g. `exec`. */
export const ATTR_K8S_SUBRESOURCE = "agent_audit.k8s.subresource";

/** Name of the object. */
export const ATTR_K8S_OBJECT_NAME = "agent_audit.k8s.object_name";

/** User that the request impersonates. */
export const ATTR_K8S_IMPERSONATED_USER = "agent_audit.k8s.impersonated_user";

/** Groups that the request impersonates; string[]. */
export const ATTR_K8S_IMPERSONATED_GROUPS = "agent_audit.k8s.impersonated_groups";

/** The API server's `Audit-Id`. */
export const ATTR_K8S_AUDIT_ID = "agent_audit.k8s.audit_id";

/** Captured standard output: redacted, head and tail kept, 64 KiB by default. */
export const ATTR_PROCESS_STDOUT = "agent_audit.process.stdout";

/** Captured standard error: redacted, head and tail kept, 64 KiB by default. */
export const ATTR_PROCESS_STDERR = "agent_audit.process.stderr";

/** Bytes written to standard output; int. */
export const ATTR_PROCESS_STDOUT_SIZE = "agent_audit.process.stdout_size";

/** Bytes written to standard error; int. */
export const ATTR_PROCESS_STDERR_SIZE = "agent_audit.process.stderr_size";

/** SHA-256 of all standard output; hex. */
export const ATTR_PROCESS_STDOUT_SHA256 = "agent_audit.process.stdout_sha256";

/** SHA-256 of all standard error; hex. */
export const ATTR_PROCESS_STDERR_SHA256 = "agent_audit.process.stderr_sha256";

/** True when captured output is not the whole output. */
export const ATTR_PROCESS_OUTPUT_TRUNCATED = "agent_audit.process.output_truncated";

/** Signal that ended the process, e.g. `SIGKILL`. */
export const ATTR_PROCESS_SIGNAL = "agent_audit.process.signal";

/** Bytes from the client through a CONNECT tunnel; int. */
export const ATTR_TUNNEL_BYTES_SENT = "agent_audit.tunnel.bytes_sent";

/** Bytes to the client through a CONNECT tunnel; int. */
export const ATTR_TUNNEL_BYTES_RECEIVED = "agent_audit.tunnel.bytes_received";

/** Why a tunnel ended. */
export const ATTR_TUNNEL_CLOSE_REASON = "agent_audit.tunnel.close_reason";

/** Server name of the TLS ClientHello inside a tunnel. */
export const ATTR_TUNNEL_SNI = "agent_audit.tunnel.sni";

/** True when the proxy read inside TLS. */
export const ATTR_TLS_INTERCEPTED = "agent_audit.tls.intercepted";

/** Id of the sandbox. */
export const ATTR_SANDBOX_ID = "agent_audit.sandbox.id";

/** Operation on the sandbox, e.g. `create`. */
export const ATTR_SANDBOX_OPERATION = "agent_audit.sandbox.operation";

/** Why the sandbox ended. */
export const ATTR_SANDBOX_EXIT_REASON = "agent_audit.sandbox.exit_reason";

/** Operation on a file, e.g. `write`. */
export const ATTR_FILE_OPERATION = "agent_audit.file.operation";

/** Path before a move. */
export const ATTR_FILE_PREVIOUS_PATH = "agent_audit.file.previous_path";

/** Bytes read or written; int. */
export const ATTR_FILE_BYTES = "agent_audit.file.bytes";

/** SHA-256 of the content; hex. */
export const ATTR_FILE_SHA256 = "agent_audit.file.sha256";

/** AWS service, e.g. `s3`. */
export const ATTR_AWS_SERVICE = "agent_audit.aws.service";

/** Action in IAM form, e.g. `s3:GetObject`. */
export const ATTR_AWS_ACTION = "agent_audit.aws.action";

/** Role that was assumed. */
export const ATTR_AWS_ROLE_ARN = "agent_audit.aws.role_arn";

/** Role session name. */
export const ATTR_AWS_SESSION_NAME = "agent_audit.aws.session_name";

/** Session tags; map. */
export const ATTR_AWS_SESSION_TAGS = "agent_audit.aws.session_tags";

/** Access key id, never the secret. */
export const ATTR_AWS_ACCESS_KEY_ID = "agent_audit.aws.access_key_id";

/** True when the call changes nothing. */
export const ATTR_AWS_READ_ONLY = "agent_audit.aws.read_only";

/** Price of the call; double in {@link ATTR_COST_CURRENCY}. */
export const ATTR_COST_AMOUNT = "agent_audit.cost.amount";

/** ISO 4217 code, e.g. `USD`. */
export const ATTR_COST_CURRENCY = "agent_audit.cost.currency";

/** `provider` or `local` (computed from a price table). */
export const ATTR_COST_SOURCE = "agent_audit.cost.source";

/** Version of the price table. */
export const ATTR_COST_PRICING_VERSION = "agent_audit.cost.pricing_version";

/** Messages in the prompt; int. */
export const ATTR_LLM_MESSAGE_COUNT = "agent_audit.llm.message_count";

/** Tools offered to the model; int. */
export const ATTR_LLM_TOOL_COUNT = "agent_audit.llm.tool_count";
