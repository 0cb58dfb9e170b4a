export { execCommand } from "./exec-command.js";
export { proxyMcpStdio } from "./mcp-stdio-proxy.js";
