import fs from "node:fs";
import { AuditError } from "@agent-audit/schema";
import { type Document, isScalar, LineCounter, parse, parseDocument, Scalar, visit } from "yaml";

/** `${NAME}`, `${NAME:-default}`, or `$$` for a dollar sign. */
const EXPRESSION = /\$\$|\$\{([^}]*)\}/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

type Path = readonly PropertyKey[];

/** The content of a configuration file, its variables replaced. */
export interface ConfigFile {
  value: unknown;
  /** Variables that could not be replaced, each with its line. */
  faults: string[];
  /** Says where a key stands, as `FILE:LINE`. */
  whereIs(path: Path): string;
}

/** Stands for a file where there is none. */
export const NO_FILE: ConfigFile = { value: {}, faults: [], whereIs: () => "the defaults" };

/**
 * Reads a YAML file and replaces `${NAME}` in its values by environment variables. A plain value is read as YAML
 * once more afterwards, so that a variable can hold a number; a quoted one stays text.
 *
 * @throws AuditError `invalid_config` when the file cannot be read or is no YAML
 */
export function readConfigFile(file: string, env: NodeJS.ProcessEnv): ConfigFile {
  const lines = new LineCounter();
  const document = parseYaml(file, lines);
  const where = (offset: number | undefined) =>
    offset === undefined ? file : `${file}:${lines.linePos(offset).line}`;
  const faults: string[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === "key" || typeof node.value !== "string") return;
      const text = replaceVariables(node.value, env, (fault) => {
        faults.push(`${where(node.range?.[0])}: ${fault}`);
      });
      if (text !== node.value) node.value = node.type === Scalar.PLAIN ? scalarOf(text) : text;
    },
  });
  return {
    value: contentOf(file, document),
    faults,
    whereIs: (path) => where(offsetOf(document, path)),
  };
}

function parseYaml(file: string, lineCounter: LineCounter): Document {
  try {
    const text = fs.readFileSync(file, "utf8");
    const document = parseDocument(text, { strict: true, uniqueKeys: true, lineCounter });
    if (document.errors.length === 0) return document;
    throw new Error(document.errors.map(({ message }) => message.trimEnd()).join("\n"));
  } catch (cause) {
    throw noYaml(file, cause);
  }
}

/** Aliases are followed here: one may name nothing, or too much. */
function contentOf(file: string, document: Document): unknown {
  try {
    return document.toJS() ?? {};
  } catch (cause) {
    throw noYaml(file, cause);
  }
}

function noYaml(file: string, cause: unknown): AuditError {
  const { message } = cause as Error;
  return new AuditError("invalid_config", `${file}: ${message}`, "check the file", { cause });
}

function replaceVariables(
  text: string,
  env: NodeJS.ProcessEnv,
  onFault: (fault: string) => void,
): string {
  return text.replace(EXPRESSION, (expression, inner: string | undefined) => {
    if (inner === undefined) return "$";
    const match = VARIABLE.exec(inner);
    if (match === null) {
      onFault(`${expression} names no variable; write \${NAME}, or $$ for a dollar sign`);
      return expression;
    }
    const [, name = "", fallback] = match;
    const value = env[name] ?? fallback;
    if (value === undefined) {
      onFault(`the variable ${name} is not set; set it, or write \${${name}:-default}`);
    }
    return value ?? expression;
  });
}

/** What a variable holds can be a number or a truth value, but no structure. */
function scalarOf(text: string): unknown {
  try {
    const value: unknown = parse(text);
    return typeof value === "object" ? text : value;
  } catch {
    // No YAML: then it is just text.
    return text;
  }
}

/** Offset of a value, or of the nearest thing around it. */
function offsetOf(document: Document, path: Path): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isScalar(node) || (node as { range?: unknown } | undefined)?.range) {
      return (node as { range?: [number, number, number] }).range?.[0];
    }
  }
  return undefined;
}
