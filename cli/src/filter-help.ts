/** What the filters of all asking commands mean, for `--help`. */
export const FILTER_HELP = `
Filters, as name=value; docs/query-api.md has all of them:
  last=15m|24h|7d         how far back from now; or from=…  to=…, RFC 3339 or now-2h
  agent=ID  user_id=ID    who acted, and for whom
  source=NAME             mcp-tool, k8s-proxy, shell, forward-proxy, sandbox, aws-proxy, llm-proxy
  result=NAME             success, failure, error
  action=  action_type=  resource_type=  resource_id=  model=  project=  org=  decision=  error_type=
  attr.KEY=VALUE          any other attribute
  q=TEXT                  text in description, action or resource id
  A name given twice means or, different names mean and. not_NAME= leaves out. A * at the end
  matches a prefix (resource_id='prod/*'), an empty value what is absent (user_id=).
`;

/** Writes the end of a command's help: its own parameters, the filters, examples. */
export function askHelp(parameters: string, examples: readonly string[]): string {
  const own = parameters === "" ? "" : `\nParameters:\n${parameters}\n`;
  const lines = examples.map((example) => `  agent-audit ${example}`).join("\n");
  return `${own}${FILTER_HELP}\nExamples:\n${lines}\n`;
}
