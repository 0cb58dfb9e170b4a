/** Fewer are not worth a second statement. */
const MIN_PARTS = 8;

/**
 * Asks about many tables by two statements at once: DuckDB plans each on one core, and of statements over many segments that is
 * what takes the time.
 *
 * @param ask about some of the parts
 */
export async function inHalves<Part, Answer>(
  parts: readonly Part[],
  ask: (parts: readonly Part[]) => Promise<Answer>,
): Promise<Answer[]> {
  if (parts.length < MIN_PARTS) return [await ask(parts)];
  const middle = parts.length >>> 1;
  // Both are waited for, whatever becomes of one: until then their tables must stay.
  const answers = await Promise.allSettled([ask(parts.slice(0, middle)), ask(parts.slice(middle))]);
  return answers.map((answer) => {
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  });
}
