import type { DuckDBConnection } from "@duckdb/node-api";
import type { Segment } from "./segment.js";

/** What DuckDB says when a file does not hold what it wrote there, or when it gave the file up half-way through a checkpoint. */
const DAMAGE =
  /^(IO|Serialization) Error: .*(corrupt|could not read|cannot open|not a valid duckdb|failed to deserialize|has been invalidated)/i;

/** Tells an error of a segment's file from one of a query or a record. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && DAMAGE.test(error.message);
}

/** Reads all of a segment, and tells what its file does not hold; `null` when nothing is found. */
export async function probe(
  connection: DuckDBConnection,
  { alias, hasSums }: Segment,
): Promise<string | null> {
  try {
    await connection.run(`SELECT bit_xor(hash(e)) FROM ${alias}.events e`);
    if (hasSums) await connection.run(`SELECT bit_xor(hash(s)) FROM ${alias}.sums s`);
    return null;
  } catch (error) {
    return isDamage(error) ? (error as Error).message : null;
  }
}
