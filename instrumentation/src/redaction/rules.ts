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

/** How names of secrets end, of variables, fields and options. */
const SECRET_WORDS =
  "password|passwd|secret|(?:access|refresh|session|auth|id|api)?token|api[_-]?key|secret[_-]?access[_-]?key|clientsecret";

/** Names of fields and headers, in lower case, whose values are secrets by how they end. */
export const SECRET_FIELD = new RegExp(`^(?:[\\w-]{0,64}[_-])?(?:${SECRET_WORDS})$`);

/** Options of command lines whose value, the next argument, is a secret. */
export const SECRET_OPTION = new RegExp(
  `^--?(?:[\\w-]{0,64}[_-])?(?:${SECRET_WORDS}|oauth2-bearer|from-literal)$`,
  "i",
);

/** Options of curl that are followed by `name:password`, also at the end of some without a value of their own. */
export const CURL_USER = "-[0-46aBfgGiIjJklLMnNOpqRsSvZ#]{0,16}[uU]|--(?:proxy-)?user";

/** Field names too common to be secrets outside a URL's query. */
export const QUERY_ONLY_NAMES: ReadonlySet<string> = new Set(["key", "code", "sig", "signature"]);

const QUERY_NAMES =
  "token|key|sig|signature|password|secret|code|access_token|x-amz-signature|x-amz-security-token";

const HEADER_NAMES =
  "proxy-authorization|authorization|set-cookie|cookie|x-api-key|x-amz-security-token|x-amz-signature";

/** The option and what stands between it and what it is given, in a list of JSON, too. */
const LITERAL = '--from-literal(?:=|[ \\t]{1,4}|\\\\{0,7}",\\s{0,4}\\\\{0,7}")';

/** What sets the colour of a terminal or clears its line, without the letter that ends it; in JSON and what languages print, too. */
const COLOUR = "(?:\\x1b|\\\\(?:u001[bB]|x1[bB]|033|e))\\[[\\d;:?]{0,40}";
const GAP = `(?:[ \\t]|${COLOUR}[A-Za-z]){0,8}`;

/** Begins a pattern where a word does: behind no character of one, but for the last one of an escape or a colour. */
function atStart(pattern: RegExp, wordCharacters = "\\w"): RegExp {
  const escaping = `\\\\(?=[nrtbf])|\\\\u[\\da-fA-F]{3}|${COLOUR}(?=[A-Za-z])`;
  return new RegExp(`(?<!(?<!${escaping})[${wordCharacters}])${pattern.source}`, pattern.flags);
}

/** How a name of a secret ends, and what stands between it and the secret. */
const ASSIGNED = `(?:${SECRET_WORDS})\\\\?["']?(?:${GAP}[=:]${GAP}|(?<=--[\\w-]{0,64})[ ])`;

/** A secret without quotes of at least 3 characters; a separator and what follows are part of it, if that is no other name. */
const UNQUOTED = `(?=[^\\s"'\\\\]{3})[^\\s"'\\\\,;&]+(?:[,;&](?![\\w.-]{0,64}[=:])[^\\s"'\\\\,;&]+){0,512}`;

export const TEXT_RULES: readonly TextRule[] = [
  {
    // First: to the others a parameter may look as a header does. JSON and HTML may escape the & before it.
    name: "query",
    pattern: new RegExp(
      `((?:[?&]|\\\\u0026|&amp;)(?:${QUERY_NAMES})=)(?<secret>(?:(?!\\\\{1,8}u0026)[^&\\s#"'<>]){1,8192})`,
      "gi",
    ),
    keepsContext: true,
  },
  {
    // To the end of the line: cookies and digests hold quotes and spaces of their own.
    name: "header",
    pattern: atStart(
      new RegExp(
        `((?:${HEADER_NAMES})\\\\?["']?[ \\t]{0,8}[:=][ \\t]{0,8})(?<secret>[^\\r\\n]+)`,
        "gi",
      ),
    ),
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
    pattern: atStart(
      new RegExp(
        `(${ASSIGNED}(?<quote>["']))(?<secret>(?:(?!\\k<quote>)[^\\\\\\r\\n]|\\\\.){3,4096})(?=\\k<quote>)`,
        "gi",
      ),
      "A-Za-z0-9",
    ),
    keepsContext: true,
  },
  {
    name: "basic-auth",
    pattern: new RegExp(
      `([ \\t](?:${CURL_USER})(?![ =]{0,2}\\[redacted:)[ =]{0,2}["']?[^\\s:"']{1,256}:(?<=curl\\b[^\\r\\n|;]{0,1024}?))(?<secret>[^\\s"']{1,512})`,
      "g",
    ),
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
    pattern: atStart(
      new RegExp(`(${ASSIGNED}\\\\?["']?)(?<secret>${UNQUOTED})`, "gi"),
      "A-Za-z0-9",
    ),
    keepsContext: true,
  },
  { name: "aws-key", pattern: atStart(/(?:AKIA|ASIA)[A-Z0-9]{16}\b/g) },
  { name: "jwt", pattern: atStart(/eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, "\\w-") },
  { name: "github-token", pattern: atStart(/(?:gh[pousr]_\w{36,255}|github_pat_\w{22,255})/g) },
  { name: "slack-token", pattern: atStart(/(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,255}/g) },
  { name: "google-token", pattern: atStart(/(?:ya29\.|GOCSPX-)[\w-]{20,2048}/g) },
  { name: "api-key", pattern: atStart(/sk-[\w-]{20,255}/g) },
  { name: "google-key", pattern: atStart(/AIza[\w-]{35}/g) },
  { name: "npm-token", pattern: atStart(/npm_[A-Za-z0-9]{36}\b/g) },
  {
    name: "auth",
    pattern: atStart(/((?:Basic|Bearer)[ \t]{1,4})(?<secret>[\w+/=.~-]{8,8192})/gi),
    keepsContext: true,
  },
  // As printed on them, first: an expiry date or a check number may follow.
  {
    name: "card",
    pattern: atStart(/(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}|\d{4}([ -]?)\d{6}\2\d{5})\b/g),
    accepts: passesLuhn,
  },
  { name: "card", pattern: atStart(/\d(?:[ -]?\d){12,18}\b/g), accepts: passesLuhn },
];

/** Whether a number by itself is one of a card. None of a bank begins with 1, as times in ms and ns do. */
export function isCardNumber(digits: string): boolean {
  return /^[2-9]\d{12,18}$/.test(digits) && passesLuhn(digits);
}

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
