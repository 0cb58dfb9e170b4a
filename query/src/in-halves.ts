/**
 * Asks about more than one table in two halves at once: DuckDB plans a statement on one core, and planning is most of what finding and
 * reading a page's rows in many segments takes.
 */
export async function inHalves<Table, Row>(
  tables: readonly Table[],
  ask: (tables: readonly Table[]) => Promise<Row[]>,
): Promise<Row[]> {
  if (tables.length <= 1) return await ask(tables);
  const middle = tables.length >>> 1;
  // Both are waited for, whatever becomes of one: until then their tables must stay.
  const halves = await Promise.allSettled([
    ask(tables.slice(0, middle)),
    ask(tables.slice(middle)),
  ]);
  return halves.flatMap((half) => {
    if (half.status === "rejected") throw half.reason;
    return half.value;
  });
}
