import { pino } from "pino";

/** The server's own log: JSON on stderr, or short lines when that is a terminal. Never event content. */
export type ServerLog = pino.Logger;

export function createServerLog(): ServerLog {
  if (!process.stderr.isTTY)
    return pino({ name: "agent-audit" }, pino.destination({ fd: 2, sync: true }));
  return pino({ name: "agent-audit" }, { write: (line) => process.stderr.write(forPeople(line)) });
}

function forPeople(line: string): string {
  const { level, time, msg } = JSON.parse(line) as { level: number; time: number; msg: string };
  const clock = new Date(time).toISOString().slice(11, 19);
  return `${clock} ${pino.levels.labels[level] ?? level} ${msg}\n`;
}
