/** Of fewer tables a second statement is not worth it. */
const MIN_TABLES = 8;

/** Parts a list in two, when it is long. */
export function halvesOf<Part>(parts: readonly Part[]): (readonly Part[])[] {
  const middle = parts.length >>> 1;
  return parts.length < MIN_TABLES ? [parts] : [parts.slice(0, middle), parts.slice(middle)];
}

/**
 * Asks about each of two halves at once: DuckDB plans a statement on one core, and planning is most of what a statement over
 * many segments takes.
 */
export async function askEach<Half, Answer>(
  halves: readonly Half[],
  ask: (half: Half) => Promise<Answer>,
): Promise<Answer[]> {
  // Both are waited for, whatever becomes of one: until then their tables must stay.
  const answers = await Promise.allSettled(halves.map(ask));
  return answers.map((answer) => {
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  });
}
