/** Finds one kind of secret in text. Repetitions are bounded, so that matching takes linear time. */
export interface TextRule {
  name: string;
  pattern: RegExp;
  /** Whether group 1 and what follows the secret stay: the secret is the group `secret`. */
  keepsContext?: boolean;
  /** A second look at a candidate, for what a pattern cannot tell. */
  accepts?: (match: string) => boolean;
}

/** Names of headers, parameters and fields whose values are secrets. */
export const SECRET_NAMES: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
  "x-amz-security-token",
  "x-amz-signature",
  "token",
  "key",
  "sig",
  "signature",
  "password",
  "passwd",
  "secret",
  "code",
  "access_token",
  "refresh_token",
  "id_token",
  "api_key",
  "apikey",
  "client_secret",
  "private_key",
  "secret_access_key",
  "aws_secret_access_key",
  "session_token",
  "sessiontoken",
  "auth_token",
  "authtoken",
  "_authtoken",
  "_auth",
  "idtoken",
  "api_token",
  "apitoken",
  "accesstoken",
  "refreshtoken",
  "clientsecret",
  "secretaccesskey",
  "privatekey",
]);

/** Options of command lines whose value, the next argument, is a secret. */
export const SECRET_OPTION =
  /^--?(?:[\w-]{0,64}[_-])?(?:password|passwd|secret|token|api[_-]?key|secret[_-]?access[_-]?key)$/i;

/** Field names too common to be secrets outside a URL's query. */
export const QUERY_ONLY_NAMES: ReadonlySet<string> = new Set(["key", "code", "sig", "signature"]);

const QUERY_NAMES =
  "token|key|sig|signature|password|secret|code|access_token|x-amz-signature|x-amz-security-token";

const HEADER_NAMES =
  "proxy-authorization|authorization|set-cookie|cookie|x-api-key|x-amz-security-token|x-amz-signature";

/** The option and what stands between it and what it is given, in a list of JSON, too. */
const LITERAL = '--from-literal(?:=|[ \\t]{1,4}|\\\\{0,7}",\\s{0,4}\\\\{0,7}")';

export const TEXT_RULES: readonly TextRule[] = [
  {
    // To the end of the line: cookies and digests hold quotes and spaces of their own.
    name: "header",
    pattern: new RegExp(
      `\\b((?:${HEADER_NAMES})\\\\?["']?[ \\t]{0,8}[:=][ \\t]{0,8})(?<secret>[^\\r\\n]+)`,
      "gi",
    ),
    keepsContext: true,
  },
  {
    name: "query",
    pattern: new RegExp(`([?&](?:${QUERY_NAMES})=)(?<secret>[^&\\s#"'<>]{1,8192})`, "gi"),
    keepsContext: true,
  },
  {
    name: "userinfo",
    // To the last @ before the path: a password may hold one.
    pattern: /(:\/\/)(?<secret>[^\s/"']{1,512})(?=@)/g,
    keepsContext: true,
  },
  {
    // In quotes a secret may hold what would end it elsewhere.
    name: "assignment",
    pattern:
      /(?<![A-Za-z0-9])((?:[A-Za-z0-9_-]{0,64}[_-])?(?:password|passwd|secret|(?:access|refresh|session|auth|id|api)?token|api[_-]?key|secret[_-]?access[_-]?key|clientsecret)["']?(?:[ \t]{0,4}[=:][ \t]{0,4}|(?<=--[a-z-]{0,64})[ ])(?<quote>["']))(?<secret>(?:(?!\k<quote>)[^\\\r\n]|\\.){3,4096})(?=\k<quote>)/gi,
    keepsContext: true,
  },
  {
    name: "basic-auth",
    pattern:
      /(\bcurl\b[^\r\n|;]{0,1024}?[ \t](?:-u|--user)[ =]{0,2}["']?[^\s:"']{1,256}:)(?<secret>[^\s"']{1,512})/g,
    keepsContext: true,
  },
  // What `kubectl create secret` is given: in quotes as a whole, its value in quotes, or without any.
  {
    name: "literal",
    pattern: new RegExp(
      `(${LITERAL}\\\\{0,7}(?<quote>["'])[^\\s"'=\\\\]{1,253}=)(?<secret>[^\\r\\n]{1,8192}?)(?=\\\\{0,7}\\k<quote>)`,
      "g",
    ),
    keepsContext: true,
  },
  {
    name: "literal",
    pattern: new RegExp(
      `(${LITERAL}[^\\s"'=\\\\]{1,253}=\\$?\\\\{0,7}(?<quote>["']))(?<secret>[^\\r\\n]{1,8192}?)(?=\\\\{0,7}\\k<quote>)`,
      "g",
    ),
    keepsContext: true,
  },
  {
    name: "literal",
    pattern: new RegExp(
      `(${LITERAL}[^\\s"'=\\\\]{1,253}=)(?<secret>(?:\\\\[^"\\r\\n]|[^\\s"'\\\\]){1,8192})`,
      "g",
    ),
    keepsContext: true,
  },
  {
    name: "npm-auth",
    pattern: /(:_auth(?:Token)?=)(?<secret>[^\s"']{3,1024})/g,
    keepsContext: true,
  },
  {
    name: "assignment",
    pattern:
      /(?<![A-Za-z0-9])((?:[A-Za-z0-9_-]{0,64}[_-])?(?:password|passwd|secret|token|api[_-]?key|secret[_-]?access[_-]?key|(?:access|refresh|session|auth|id|api)token|clientsecret)\\?["']?(?:[ \t]{0,4}[=:][ \t]{0,4}|(?<=--[a-z-]{0,64})[ ])\\?["']?)(?<secret>[^\s"'\\,;&]{3,})/gi,
    keepsContext: true,
  },
  { name: "aws-key", pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { name: "jwt", pattern: /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g },
  { name: "github-token", pattern: /\b(?:gh[pousr]_\w{36,255}|github_pat_\w{22,255})/g },
  { name: "slack-token", pattern: /\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,255}/g },
  { name: "google-token", pattern: /\b(?:ya29\.|GOCSPX-)[\w-]{20,2048}/g },
  { name: "api-key", pattern: /\bsk-[\w-]{20,255}/g },
  { name: "google-key", pattern: /\bAIza[\w-]{35}/g },
  { name: "npm-token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  {
    name: "auth",
    pattern: /\b((?:Basic|Bearer)[ \t]{1,4})(?<secret>[\w+/=.~-]{8,8192})/gi,
    keepsContext: true,
  },
  // As printed on them, first: an expiry date or a check number may follow.
  {
    name: "card",
    pattern: /\b(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}|\d{4}([ -]?)\d{6}\2\d{5})\b/g,
    accepts: passesLuhn,
  },
  { name: "card", pattern: /\b\d(?:[ -]?\d){12,18}\b/g, accepts: passesLuhn },
];

/** The check digit of payment cards. @see ISO/IEC 7812-1 */
function passesLuhn(match: string): boolean {
  const digits = match.replace(/\D/g, "");
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
