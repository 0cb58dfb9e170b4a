/** How what people read is shown: fitted to a terminal, or whole, for a pipe or a file. */
export interface Display {
  /** Columns of the terminal; `null` where nothing must be cut. */
  width: number | null;
  hasColor: boolean;
}

/** For what another program reads. */
export const WHOLE: Display = { width: null, hasColor: false };

/** Tells how to show what goes to a stream. `NO_COLOR` and `TERM=dumb` leave colours out. */
export function displayOf(
  stream: { isTTY?: boolean; columns?: number } = process.stdout,
  env = process.env,
): Display {
  if (!stream.isTTY) return WHOLE;
  const isPlain = (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb";
  return { width: stream.columns ?? 80, hasColor: !isPlain };
}

const CODES = { red: 31, yellow: 33, dim: 2 } as const;
export type Color = keyof typeof CODES;

/** Colours a text that is printed as it is. */
export function colored(text: string, color: Color | null, { hasColor }: Display): string {
  return hasColor && color !== null ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;
}
