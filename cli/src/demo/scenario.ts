/** Shown by one of the demo's commands; it must not appear in the trail. Made up, and not a token of anybody. */
export const DEMO_SECRET = `ghp_${"demoSecret0".repeat(4).slice(0, 36)}`;

/** Names the demo agent's working directories. */
export const DEMO_WORKSPACE_PREFIX = "agent-audit-demo-";
