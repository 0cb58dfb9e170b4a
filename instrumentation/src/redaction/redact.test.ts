import { describe, expect, it } from "vitest";
import { sampleEvent } from "../../../test/support/sample-logs.js";
import { redactEvent, redactText } from "./redact.js";

const token = (prefix: string, length: number) => prefix + "aB3".repeat(100).slice(0, length);

describe("redactText", () => {
  it.each([
    ["an AWS key", `id ${token("AKIA", 0)}ABCDEFGHIJKLMNOP end`, "id [redacted:aws-key] end"],
    ["a GitHub token", `x ${token("ghp_", 36)} y`, "x [redacted:github-token] y"],
    ["an OpenAI key", token("sk-", 40), "[redacted:api-key]"],
    ["an Anthropic key", token("sk-ant-api03-", 40), "[redacted:api-key]"],
    ["a Google key", token("AIza", 35), "[redacted:google-key]"],
    ["an npm token", token("npm_", 36), "[redacted:npm-token]"],
    ["a Slack token", token("xoxb-", 24), "[redacted:slack-token]"],
    ["a JWT", `eyJhbGciOiJI.eyJzdWIiOiIx.abc-_`, "[redacted:jwt]"],
    ["a Basic header", "Authorization: Basic dXNlcjpwYXNz", "Authorization: [redacted:header]"],
    ["a cookie with quotes", 'Cookie: sid="abc123"; b=c\nnext', "Cookie: [redacted:header]\nnext"],
    ["userinfo without a password", "https://tok3n@host/x", "https://[redacted:userinfo]@host/x"],
    ["a Slack app token", token("xapp-", 24), "[redacted:slack-token]"],
    ["a Google access token", token("ya29.", 40), "[redacted:google-token]"],
    ["a card with its expiry", "4111 1111 1111 1111 12/27", "[redacted:card] 12/27"],
    ["a card with its check number", "4111111111111111 123", "[redacted:card] 123"],
    ["a session token", '"SessionToken":"IQoJb3"', '"SessionToken":"[redacted:assignment]"'],
    ["a comma in quotes", '"password":"s3cr3t,with"', '"password":"[redacted:assignment]"'],
    ["words in quotes", "PASSWORD='correct horse'", "PASSWORD='[redacted:assignment]'"],
    ["an @ in userinfo", "postgres://app:p@ss@db/x", "postgres://[redacted:userinfo]@db/x"],
    [
      "an npm registry's",
      "//r.example/:_authToken=1-2-3",
      "//r.example/:_authToken=[redacted:npm-auth]",
    ],
    ["a user of curl", "curl -sS -u admin:hunter2 x", "curl -sS -u admin:[redacted:basic-auth] x"],
    ["a JWT of two long parts", `eyJ${"a".repeat(9000)}.${"b".repeat(9000)}.c`, "[redacted:jwt]"],
    [
      "an escaped field",
      '{\\"password\\":\\"hunter2secret\\"}',
      '{\\"password\\":\\"[redacted:assignment]\\"}',
    ],
    [
      "a field in camel case",
      '{"accessToken":"abc123"}',
      '{"accessToken":"[redacted:assignment]"}',
    ],
    ["an option", "login --password hunter2 -v", "login --password [redacted:assignment] -v"],
    ["a capitalised name", "Password: hunter2", "Password: [redacted:assignment]"],
    ["a Bearer token", "bearer abcdefgh12345", "bearer [redacted:auth]"],
    [
      "userinfo",
      "git clone https://me:hunter2@host/x",
      "git clone https://[redacted:userinfo]@host/x",
    ],
    ["a query value", "GET /a?x=1&token=abc&y=2", "GET /a?x=1&token=[redacted:query]&y=2"],
    [
      "a query value behind an escaped &",
      "/a?x=1\\u0026X-Amz-Signature=abc\\u0026sig=d&amp;sig=e&amp;y=2",
      "/a?x=1\\u0026X-Amz-Signature=[redacted:query]\\u0026sig=[redacted:query]&amp;sig=[redacted:query]&amp;y=2",
    ],
    ["a secret with a semicolon", "password=ab;hunter2 x", "password=[redacted:assignment] x"],
    ["a secret with commas", "password=abc,de,hunter2, x", "password=[redacted:assignment], x"],
    ["a secret with an &", "password=ab&hunter2 x", "password=[redacted:assignment] x"],
    ["a short parameter", "password=ab&b=2", "password=[redacted:assignment]&b=2"],
    [
      "a field of a connection's text",
      "Password=ab;Data.Source=x;y",
      "Password=[redacted:assignment];Data.Source=x;y",
    ],
    ["a command behind it", "PASSWORD=abc&&npm start", "PASSWORD=[redacted:assignment]&&npm start"],
    ["a number in JSON", '{"token":12345,"x":1}', '{"token":[redacted:assignment],"x":1}'],
    [
      "a name in colour",
      "\u001b[34mpassword\u001b[m\u001b[K=\u001b[32mhunter2",
      "\u001b[34mpassword\u001b[m\u001b[K=\u001b[32m[redacted:assignment]",
    ],
    [
      "an assignment",
      "DB_PASSWORD=hunter22 npm start",
      "DB_PASSWORD=[redacted:assignment] npm start",
    ],
    ["a card number", "card 4111 1111 1111 1111.", "card [redacted:card]."],
    [
      "a private key",
      "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb",
      "a\n[redacted:private-key]\nb",
    ],
    [
      "a private key cut off at its end",
      "a -----BEGIN PRIVATE KEY-----\nMIIE",
      "a [redacted:private-key]",
    ],
    [
      "a private key cut off at its start",
      "MIIE\n-----END PRIVATE KEY----- b",
      "[redacted:private-key] b",
    ],
  ])("takes out %s", (_, text, expected) => {
    expect(redactText(text)).toBe(expected);
    expect(redactText(expected)).toBe(expected);
  });

  describe.each([
    ["an escaped newline", "a\\n"],
    ["an escaped tab", "a\\t"],
    ["an escaped newline in a JSON text in another", "a\\\\n"],
    ["an escaped character", "a\\u00e9"],
    ["a colour", "a\u001b[32m"],
    ["a colour of many parts", "a\u001b[1;38;2;255;255;255m"],
    ["what grep puts before a match", "a\u001b[01;31m\u001b[K"],
    ["a colour in a JSON text", "a\\u001b[32m"],
    ["a colour in what Python prints", "a\\x1b[32m"],
  ])("behind %s", (_, before) => {
    it.each([
      [token("ghp_", 36), "[redacted:github-token]"],
      ["AKIAABCDEFGHIJKLMNOP", "[redacted:aws-key]"],
      [token("sk-", 40), "[redacted:api-key]"],
      [token("xoxb-", 24), "[redacted:slack-token]"],
      [token("npm_", 36), "[redacted:npm-token]"],
      [token("AIza", 35), "[redacted:google-key]"],
      [token("ya29.", 40), "[redacted:google-token]"],
      ["eyJhbGciOiJI.eyJzdWIiOiIx.abc-_", "[redacted:jwt]"],
      ["4111 1111 1111 1111", "[redacted:card]"],
      ["4222222222222", "[redacted:card]"],
      ["Bearer abcdefgh12345", "Bearer [redacted:auth]"],
      ["Cookie: sid=abc", "Cookie: [redacted:header]"],
      ["password=hunter2", "password=[redacted:assignment]"],
      ["password='hunter 2'", "password='[redacted:assignment]'"],
      ["DB_PASSWORD=hunter2", "DB_PASSWORD=[redacted:assignment]"],
      ["curl -u bob:hunter2 x", "curl -u bob:[redacted:basic-auth] x"],
    ])("%j is taken out", (text, expected) => {
      expect(redactText(before + text)).toBe(before + expected);
    });
  });

  it.each([
    "order 4111 1111 1111 1112",
    `x${token("ghp_", 36)}`,
    `n${token("sk-", 40)}`,
    "tokens: 512",
    "exit code=1",
    "a key idea",
    "https://host/x?page=2",
    "task-force sk-1",
  ])("leaves %j as it is", (text) => {
    expect(redactText(text)).toBe(text);
  });

  it.each([
    ["begins of JWTs", "eyJ-".repeat(125_000)],
    ["ends of keys", "-----END PRIVATE KEY-----".repeat(20_000)],
    ["begins of keys", "-----BEGIN PRIVATE KEY-----".repeat(20_000)],
    ["digits", "1".repeat(500_000)],
    ["underscores", "_".repeat(500_000)],
    ["URLs without end", "://a:".repeat(100_000)],
    ["dots", `eyJ${"a.".repeat(250_000)}`],
    ["spaces", `authorization${" ".repeat(500_000)}`],
    ["open quotes", `password="${"a".repeat(50)}`.repeat(8_000)],
    ["curls", "curl -x ".repeat(60_000)],
    ["separators", `password=${",;&a".repeat(120_000)}`],
    ["short assignments", "token=a;b=".repeat(50_000)],
    ["escapes", "\\n\\u001b[32m\\t\\u0026".repeat(25_000)],
    ["colours", "\u001b[1;32m".repeat(70_000)],
    ["a colour without end", `\u001b[${"1;".repeat(250_000)}`],
    ["parameters", "\\u0026a\\u0026sig".repeat(30_000)],
  ])("takes linear time on half a million characters of %s", (_, text) => {
    const begin = performance.now();
    redactText(text);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});

describe("redactEvent", () => {
  it("looks everywhere, lists the keys, and redacts named fields of any value", () => {
    const event = redactEvent(
      sampleEvent({
        action: `deploy ${token("ghp_", 36)}`,
        description: `ran with ${token("ghp_", 36)}`,
        resource: { type: "url", id: "https://u:p@h/" },
        content: {
          "gen_ai.tool.call.arguments": {
            values: [
              { key: "password", value: "hunter2" },
              { key: "list", value: [{ values: [{ key: "Authorization", value: 7n }] }] },
              { key: "code", value: "print(1)" },
            ],
          },
        },
        metadata: {
          "process.command_args": ["curl", "?key=abc", "--api-key", "hunter2"],
          args: ["--verbose", "kept"],
          create: ["kubectl", "create", "secret", "generic", "x", "--from-literal", "a=hunter2"],
          token: "abc",
          plain: "x",
        },
      }),
    );
    expect(JSON.stringify(event, (_, v) => (typeof v === "bigint" ? `${v}` : v))).not.toMatch(
      /hunter2|aB3aB3|u:p@/,
    );
    expect(event.redacted?.sort()).toEqual([
      "action",
      "create",
      "description",
      "gen_ai.tool.call.arguments",
      "process.command_args",
      "resource.id",
      "token",
    ]);
    expect(event.metadata.plain).toBe("x");
    expect(event.metadata.args).toEqual(["--verbose", "kept"]);
    expect(JSON.stringify(event.content)).toContain("print(1)");
  });

  it("takes the value of a name that would be one of a secret in text, and numbers of cards", () => {
    const env = [
      "DB_PASSWORD",
      "GITHUB_TOKEN",
      "x-auth-token",
      "PRIVATE-TOKEN",
      "accessToken",
      "my_api_key",
    ];
    const values = env.map((key) => ({ key, value: "xy" }));
    const kept = { max_tokens: 512, since: 1_700_000_000_007, id: 4_111_111_111_111_112n };
    const event = redactEvent(
      sampleEvent({
        metadata: {
          env: { values },
          "http.request.header.x-auth-token": ["xy"],
          whole: 4_111_111_111_111_111n,
          list: [4_111_111_111_111_111],
          ...kept,
        },
      }),
    );
    expect(event.metadata).toEqual({
      env: { values: env.map((key) => ({ key, value: "[redacted:name]" })) },
      "http.request.header.x-auth-token": "[redacted:name]",
      whole: "[redacted:card]",
      list: ["[redacted:card]"],
      ...kept,
    });
  });

  it("does not list a value that is no number", () => {
    expect(redactEvent(sampleEvent({ metadata: { share: Number.NaN } })).redacted).toBeUndefined();
  });

  it("lists nothing where nothing was found", () => {
    expect(redactEvent(sampleEvent()).redacted).toBeUndefined();
  });
});
