// Official `gen_ai.*`, `mcp.*` and `jsonrpc.*` keys, copied from semantic-conventions-genai 0.1.0, to which
// they moved; npm's 1.45.0 marks them deprecated for that reason only.

/** MCP method, e.g. `tools/call`. */
export const ATTR_MCP_METHOD_NAME = "mcp.method.name";

/** MCP protocol version, e.g. `2025-11-25`. */
export const ATTR_MCP_PROTOCOL_VERSION = "mcp.protocol.version";

/** URI of an MCP resource. */
export const ATTR_MCP_RESOURCE_URI = "mcp.resource.uri";

/** JSON-RPC request id as a string. */
export const ATTR_JSONRPC_REQUEST_ID = "jsonrpc.request.id";

/** Id of the agent. */
export const ATTR_GEN_AI_AGENT_ID = "gen_ai.agent.id";

/** Name of the agent. */
export const ATTR_GEN_AI_AGENT_NAME = "gen_ai.agent.name";

/** Version of the agent. */
export const ATTR_GEN_AI_AGENT_VERSION = "gen_ai.agent.version";

/** Conversation or run. */
export const ATTR_GEN_AI_CONVERSATION_ID = "gen_ai.conversation.id";

/** `execute_tool`, `chat`, `embeddings`, ... */
export const ATTR_GEN_AI_OPERATION_NAME = "gen_ai.operation.name";

/** Provider, e.g. `anthropic`. */
export const ATTR_GEN_AI_PROVIDER_NAME = "gen_ai.provider.name";

/** Name of the tool. */
export const ATTR_GEN_AI_TOOL_NAME = "gen_ai.tool.name";

/** Id of the tool call. */
export const ATTR_GEN_AI_TOOL_CALL_ID = "gen_ai.tool.call.id";

/** Arguments of the call; structured content. */
export const ATTR_GEN_AI_TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments";

/** Result of the call; structured content. */
export const ATTR_GEN_AI_TOOL_CALL_RESULT = "gen_ai.tool.call.result";

/** Prompt; content, off by default. */
export const ATTR_GEN_AI_INPUT_MESSAGES = "gen_ai.input.messages";

/** Completion; content, off by default. */
export const ATTR_GEN_AI_OUTPUT_MESSAGES = "gen_ai.output.messages";

/** System prompt; content, off by default. */
export const ATTR_GEN_AI_SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions";

/** Name of an MCP prompt. */
export const ATTR_GEN_AI_PROMPT_NAME = "gen_ai.prompt.name";

/** Model that was asked for. */
export const ATTR_GEN_AI_REQUEST_MODEL = "gen_ai.request.model";

/** Limit of the completion; int. */
export const ATTR_GEN_AI_REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens";

/** Temperature; double. */
export const ATTR_GEN_AI_REQUEST_TEMPERATURE = "gen_ai.request.temperature";

/** True when the response was streamed. */
export const ATTR_GEN_AI_REQUEST_STREAM = "gen_ai.request.stream";

/** Model that answered. */
export const ATTR_GEN_AI_RESPONSE_MODEL = "gen_ai.response.model";

/** Id of the response. */
export const ATTR_GEN_AI_RESPONSE_ID = "gen_ai.response.id";

/** Why generation ended; string[]. */
export const ATTR_GEN_AI_RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons";

/** Time to the first chunk; double, seconds. */
export const ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk";

/** Input tokens, cached ones included; int. */
export const ATTR_GEN_AI_USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens";

/** Output tokens; int. */
export const ATTR_GEN_AI_USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens";

/** Input tokens read from a cache; int. */
export const ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.cache_read.input_tokens";

/** Input tokens written to a cache; int. */
export const ATTR_GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS = "gen_ai.usage.cache_write.input_tokens";

/** Former name of {@link ATTR_GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS}: accepted, never emitted. */
export const ATTR_GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS =
  "gen_ai.usage.cache_creation.input_tokens";

/** Output tokens spent on reasoning; int. */
export const ATTR_GEN_AI_USAGE_REASONING_OUTPUT_TOKENS = "gen_ai.usage.reasoning.output_tokens";
