import { describe, expect, it } from "vitest";
import { sampleEvent } from "../../../test/support/sample-logs.js";
import { OutputCapture } from "../shell/output-capture.js";
import { redactEvent, redactText } from "./redact.js";

const SECRET = {
  apiVersion: "v1",
  data: { password: "aHVudGVyMg==", "tls.key": 'b}d"e\\' },
  kind: "Secret",
  metadata: { name: "db" },
};
const GONE = /aHVudGVyMg|b\}d|hunter2/;

const YAML = `apiVersion: v1
data:
  password: aHVudGVyMg==

  tls.key: |
    aHVudGVyMg==
kind: Secret
metadata:
  name: db
`;

const BIG = `apiVersion: v1\ndata:\n${"  a: hunter2\n".repeat(2_000)}kind: Secret\n`;

describe("a Kubernetes Secret", () => {
  it.each([
    ["compact JSON", JSON.stringify(SECRET)],
    ["indented JSON", JSON.stringify(SECRET, null, 4)],
    ["JSON in JSON", JSON.stringify({ body: JSON.stringify(SECRET), more: "kept" })],
    [
      "JSON in JSON in JSON",
      JSON.stringify({ a: JSON.stringify({ body: JSON.stringify(SECRET) }), more: "kept" }),
    ],
    ["a list", JSON.stringify({ kind: "SecretList", items: [{ data: SECRET.data }] })],
    ["stringData", JSON.stringify({ kind: "Secret", stringData: { a: "hunter2" } })],
    ["YAML", YAML],
    ["YAML with CRLF", YAML.replaceAll("\n", "\r\n")],
    ["a list in YAML", `items:\n- ${YAML.trimEnd().replaceAll("\n", "\n  ")}\nkind: List\n`],
    ["a list's item that begins with it", "kind: SecretList\nitems:\n- data:\n    a: hunter2\n"],
    ["YAML in JSON", JSON.stringify({ content: YAML, more: "kept" })],
    ["YAML in JSON in JSON", JSON.stringify({ a: JSON.stringify({ content: YAML }), more: 1 })],
    [
      "YAML in JSON to its end",
      JSON.stringify({ content: "kind: Secret\nstringData:\n  a: hunter2" }),
    ],
    ["flow style", "kind: Secret\nstringData: {a: hunter2}\n"],
    [
      "a document in a command",
      "kubectl apply -f - <<EOF\napiVersion: v1\nkind: Secret\nstringData:\n  a: hunter2\nEOF",
    ],
    ["YAML that is cut off before its kind", "apiVersion: v1\ndata:\n  a: aHVudGVyMg"],
    ["JSON that is cut off before its kind", '{"apiVersion":"v1","data":{"a":"aHVudGVyMg'],
    ["a literal of a command", "kubectl create secret generic x --from-literal=any='hunter2'"],
    [
      "a literal in double quotes",
      'kubectl --from-literal "any=a hunter2" --from-literal=b="hunter2 x"',
    ],
    [
      "a literal with an escape",
      "kubectl --from-literal=any=a\\ hunter2 --from-literal=b=$'hunter2'",
    ],
    [
      "a literal in a JSON text",
      JSON.stringify({ command: 'kubectl --from-literal="foo=it\'s hunter2"', more: "kept" }),
    ],
    ["a literal in a list", JSON.stringify({ argv: ["kubectl", "--from-literal", "foo=hunter2"] })],
    ["a patch", `kubectl patch secret db -p '{"data":{"foo":"hunter2"}}'`],
    ["a body without a kind", '{"metadata":{"name":"db"},"stringData":{"foo":"hunter2"}}'],
    ["a comment beside it", "kind: Secret\nstringData: # what it keeps\n  foo: hunter2\n"],
    ["an anchor beside it", "kind: Secret\nstringData: &x\n  foo: hunter2\n"],
    [
      "a template",
      "kind: Secret\nstringData:\n{{- range $k := .Values }}\n  a: hunter2\n{{- end }}\nmetadata: {}\n",
    ],
    ["trailing spaces", `kind: Secret\nstringData:${" ".repeat(20)}\n  foo: hunter2\n`],
    [
      "a comment within",
      "kind: Secret\ndata:\n# first\n  a: hunter2\n# second\n  b: hunter2\nmetadata:\n",
    ],
    ["a blank line with a tab", "kind: Secret\ndata:\n  a: x\n\t\n  b: hunter2\n"],
    ["an indentation of tabs", "cat <<-EOF\n\tkind: Secret\n\tstringData:\n\t  a: hunter2\n\tEOF"],
    [
      "a diff that adds it",
      "@@ -1 +1 @@\n kind: Secret\n+stringData:\n+  a: hunter2\n metadata: {}\n",
    ],
    [
      "a diff within it",
      "@@ -1 +1 @@\n kind: Secret\n data:\n-  a: hunter2\n+  a: hunter2\n metadata: {}\n",
    ],
    [
      "a diff that removes it",
      "@@ -1 +1 @@\n-kind: Secret\n-data:\n-  a: hunter2\n metadata: {}\n",
    ],
    [
      "numbered lines",
      "     1\tkind: Secret\n     2\tdata:\n     3\t  a: hunter2\n     4\tmetadata:\n     5\t  name: db\n",
    ],
    [
      "lines of a service",
      "app-1  | kind: Secret\napp-1  | data:\napp-1  |   a: hunter2\napp-1  | metadata:\n",
    ],
    ["single quotes", "{'kind': 'Secret', 'stringData': {'foo': 'a}hunter2'}, 'metadata': 1}"],
    ["flow style in single quotes", "kind: Secret\nstringData: {foo: 'a}hunter2'}\n"],
    ["an envelope", JSON.stringify({ data: { items: [SECRET], more: "kept" } })],
    [
      "four texts in one another",
      JSON.stringify([
        JSON.stringify([JSON.stringify([JSON.stringify([JSON.stringify(SECRET)])])]),
      ]),
    ],
  ])("is taken out of %s, and nothing else is", (_, text) => {
    expect(text).toMatch(GONE);
    const clean = redactText(text);
    expect(clean).not.toMatch(GONE);
    expect(redactText(clean)).toBe(clean);
    for (const kept of ["kubectl", "metadata", "db", "more", "kept", "SecretList", "EOF"]) {
      expect(clean.includes(kept), kept).toBe(text.includes(kept));
    }
    if (!/^[{[]/.test(text) || text.endsWith("aHVudGVyMg") || text.startsWith("{'")) return;
    expect(() => JSON.parse(clean)).not.toThrow();
  });

  it.each([
    "kind: ConfigMap\ndata:\n  a: b\n",
    '{"kind":"SealedSecret","data":{"a":"b"}}',
    "my data: { a secret }",
    '{"data":{"a":"b"}}',
    'kind: Secret\nread data: {"a": ["b"]}',
  ])("is not seen in %j", (text) => {
    expect(redactText(text)).toBe(text);
  });

  it.each([
    ["YAML", YAML.replace("aHVudGVyMg==", "aHVudGVyMg".repeat(2_000))],
    ["JSON", JSON.stringify({ ...SECRET, data: { a: "aHVudGVyMg".repeat(2_000) } })],
    [
      "indented JSON",
      JSON.stringify({ ...SECRET, data: { a: "aHVudGVyMg".repeat(2_000) } }, null, 2),
    ],
    ["many", YAML.repeat(500).replaceAll(/^kind/gm, "type: x\nkind")],
    [
      "with its kind first",
      `kind: Secret\nmetadata:\n  name: db\nstringData:\n${"  a: hunter2\n".repeat(2_000)}`,
    ],
    ["after other objects", `${"kind: ConfigMap\n".repeat(100)}${BIG}`],
    ["before other objects", `${BIG}${"---\napiVersion: v1\nkind: Service\n".repeat(3)}`],
  ])("is taken out of an output that is cut in its middle: %s", (_, text) => {
    for (let limit = 200; limit < 400; limit += 7) {
      const capture = new OutputCapture(limit);
      // More than the margins that are looked at.
      capture.add(Buffer.from("begin\n".repeat(5_000)));
      capture.add(Buffer.from(text));
      const { text: captured, isTruncated } = capture.finish();
      expect(isTruncated).toBe(true);
      expect(captured).not.toMatch(GONE);
      expect(captured).toMatch(/^begin\n/);
    }
  });

  it("costs an output that only names it no more than the line at the cut", () => {
    const capture = new OutputCapture(400);
    const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i} is here\n`).join("");
    capture.add(Buffer.from(lines));
    capture.add(Buffer.from('{"ref":{"kind":"Secret","name":"x"}}\n'));
    const { text } = capture.finish();
    expect(text).toContain("line 4999 is here");
    expect(text).toContain("line 4992 is here");
  });

  it("is taken out of values", () => {
    const map = (fields: Record<string, unknown>): never =>
      ({
        values: Object.entries(fields).map(([key, value]) => ({ key, value })),
      }) as never;
    const event = redactEvent(
      sampleEvent({
        metadata: {
          body: map({ kind: "Secret", data: map({ a: "hunter2" }), type: "Opaque" }),
          list: map({ items: [map({ stringData: map({ a: "hunter2" }) })], kind: "SecretList" }),
          other: map({ kind: "ConfigMap", data: map({ a: "kept" }) }),
        },
      }),
    );
    const text = JSON.stringify(event.metadata);
    expect(text).not.toMatch(GONE);
    expect(text).toContain("Opaque");
    expect(text).toContain('"kept"');
    expect(event.redacted).toEqual(["body", "list"]);
  });

  it.each([
    ["backslashes", `kind: Secret data${"\\".repeat(500_000)}`],
    ["maps without end", 'kind: Secret "data":{'.repeat(25_000)],
    ["maps", 'kind: Secret "data":{"a":"b"}'.repeat(20_000)],
    ["blocks", "kind: Secret\ndata:\n  a: b\n".repeat(20_000)],
    ["nested blocks", `kind: Secret\n${" data:\n".repeat(70_000)}`],
    ["spaces", `kind: Secret\ndata:\n${" ".repeat(500_000)}`],
    ["dashes", `kind: Secret\n${"- ".repeat(250_000)}data:\n  a`],
    ["escaped keys and quotes", `kind: Secret\n${'data:\\n"'.repeat(70_000)}`],
    ["escaped keys", `kind: Secret\n${"data:\\n a\\n".repeat(50_000)}`],
    ["escaped newlines", `kind: Secret\\ndata:${"\\n ".repeat(150_000)}`],
  ])("is looked for in linear time in half a million characters of %s", (_, text) => {
    const begin = performance.now();
    redactText(text);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});
