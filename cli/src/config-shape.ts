import { z } from "zod";

/** Gives the shape of an object schema behind defaults and optionality. */
export function shapeOf(schema: unknown): Record<string, z.ZodType> | undefined {
  let inner = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodOptional
  ) {
    inner = inner.unwrap();
  }
  return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : undefined;
}
