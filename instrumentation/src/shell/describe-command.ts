import path from "node:path";
import {
  ATTR_PROCESS_COMMAND_ARGS,
  ATTR_PROCESS_COMMAND_LINE,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_OUTPUT_TRUNCATED,
  ATTR_PROCESS_PID,
  ATTR_PROCESS_SIGNAL,
  ATTR_PROCESS_STDERR,
  ATTR_PROCESS_STDERR_SHA256,
  ATTR_PROCESS_STDERR_SIZE,
  ATTR_PROCESS_STDOUT,
  ATTR_PROCESS_STDOUT_SHA256,
  ATTR_PROCESS_STDOUT_SIZE,
  ATTR_PROCESS_WORKING_DIRECTORY,
  type Result,
} from "@agent-audit/schema";
import { formatDuration } from "../format-duration.js";
import type { RecordInput } from "../record-input.js";
import { redactArguments, redactText } from "../redaction/redact.js";
import type { CapturedOutput } from "./output-capture.js";

/** How a process ended. */
export type CommandOutcome =
  | { kind: "exited"; exitCode: number }
  | { kind: "killed"; signal: string }
  /** It never ran: `errorType` such as `ENOENT`. */
  | { kind: "not_started"; errorType: string };

export interface Command {
  actorName: string;
  /** The program and its arguments, or a command line for a shell: as given, never assembled. */
  command: { args: readonly string[] } | { line: string };
  workingDirectory: string;
  pid?: number | undefined;
  outcome: CommandOutcome;
  startedAt: bigint;
  durationMillis: number;
  /** `undefined` where the stream was not piped. */
  stdout?: CapturedOutput | undefined;
  stderr?: CapturedOutput | undefined;
}

/** Turns a command that ended into the input of an event. */
export function describeCommand(command: Command): RecordInput {
  const { outcome, stdout, stderr } = command;
  const given = "line" in command.command ? command.command.line : command.command.args;
  // Argument by argument, where they are known: joined, the end of a secret cannot be told.
  const clean = typeof given === "string" ? redactText(given) : redactArguments(given);
  const isRedacted = String(clean) !== String(given);
  const commandAttribute =
    typeof given === "string" ? ATTR_PROCESS_COMMAND_LINE : ATTR_PROCESS_COMMAND_ARGS;
  const program = typeof clean === "string" ? firstWord(clean) : (clean[0] ?? "");
  const executable = path.basename(program);
  const { result, errorType, ending } = endingOf(outcome);
  const content = {
    ...(stdout && stdout.text !== "" ? { [ATTR_PROCESS_STDOUT]: stdout.text } : {}),
    ...(stderr && stderr.text !== "" ? { [ATTR_PROCESS_STDERR]: stderr.text } : {}),
  };
  return {
    source: "shell",
    actionType: "shell_exec",
    action: "shell_exec",
    resource: { type: "process", id: executable === "" ? "unknown" : executable },
    result,
    ...(errorType === undefined ? {} : { errorType }),
    ...(outcome.kind === "exited" ? { exitCode: outcome.exitCode } : {}),
    time: command.startedAt,
    durationMillis: command.durationMillis,
    description: `${command.actorName} ran ${JSON.stringify(shorten([clean].flat().join(" ")))} -> ${ending} (${formatDuration(command.durationMillis)})`,
    ...(Object.keys(content).length === 0 ? {} : { content }),
    redacted: [
      ...(isRedacted ? [commandAttribute] : []),
      ...(stdout?.isRedacted ? [ATTR_PROCESS_STDOUT] : []),
      ...(stderr?.isRedacted ? [ATTR_PROCESS_STDERR] : []),
    ],
    attributes: {
      [ATTR_PROCESS_EXECUTABLE_NAME]: executable,
      [commandAttribute]: clean,
      [ATTR_PROCESS_WORKING_DIRECTORY]: command.workingDirectory,
      [ATTR_PROCESS_PID]: command.pid,
      [ATTR_PROCESS_SIGNAL]: outcome.kind === "killed" ? outcome.signal : undefined,
      [ATTR_PROCESS_STDOUT_SIZE]: stdout?.sizeBytes,
      [ATTR_PROCESS_STDOUT_SHA256]: stdout?.sha256,
      [ATTR_PROCESS_STDERR_SIZE]: stderr?.sizeBytes,
      [ATTR_PROCESS_STDERR_SHA256]: stderr?.sha256,
      [ATTR_PROCESS_OUTPUT_TRUNCATED]:
        stdout?.isTruncated || stderr?.isTruncated ? true : undefined,
    },
  };
}

function endingOf(outcome: CommandOutcome): {
  result: Result;
  errorType?: string;
  ending: string;
} {
  switch (outcome.kind) {
    case "exited": {
      const ending = `exit ${outcome.exitCode}`;
      if (outcome.exitCode === 0) return { result: "success", ending };
      return { result: "failure", errorType: String(outcome.exitCode), ending };
    }
    case "killed":
      return { result: "error", errorType: outcome.signal, ending: outcome.signal };
    case "not_started":
      return { result: "error", errorType: outcome.errorType, ending: outcome.errorType };
    default:
      return outcome satisfies never;
  }
}

/** Variables that are set for a command alone, their values in quotes or not. */
const VARIABLES = /^(?:[A-Za-z_]\w*=(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])*\s+)+/s;

/** The program of a line, behind its variables: their values may be secrets, and so may what is left of one. */
function firstWord(line: string): string {
  const [word = ""] = line.trim().replace(VARIABLES, "").split(/\s/, 1);
  return /^[A-Za-z_]\w*=/.test(word) ? "" : word;
}

function shorten(line: string): string {
  return line.length <= 200 ? line : `${line.slice(0, 200)}…`;
}
