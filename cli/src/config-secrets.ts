import fs from "node:fs";
import type { z } from "zod";
import { shapeOf } from "./config-shape.js";

/** An option that may be given as a file: `<name>_file`. */
const FILE_SUFFIX = "_file";
const MASK = "********";

type Values = Record<string, unknown>;

/**
 * Replaces `<name>_file` by what that file holds, for every option that its room marks with
 * `.meta({ isSecret: true })`.
 *
 * @returns faults: the path of the option, and what is wrong
 */
export function readSecretFiles(
  schema: z.ZodObject,
  values: unknown,
): { path: string[]; message: string }[] {
  const faults: { path: string[]; message: string }[] = [];
  forEachSecret(schema, values, (holder, name, path) => {
    const fileOption = `${name}${FILE_SUFFIX}`;
    const file = holder[fileOption];
    if (file === undefined) return;
    delete holder[fileOption];
    const fault = (message: string) => faults.push({ path: [...path, fileOption], message });
    if (holder[name] !== undefined) fault(`exclude each other: ${name} is given too`);
    else if (typeof file !== "string") fault("must be the path of a file");
    else {
      try {
        // Editors end a file with a newline, which is not part of the secret.
        holder[name] = fs.readFileSync(file, "utf8").replace(/\r?\n$/, "");
      } catch (error) {
        fault((error as Error).message);
      }
    }
  });
  return faults;
}

/** Copies a configuration with every secret replaced by asterisks. */
export function maskSecrets<T>(schema: z.ZodObject, values: T): T {
  const masked = structuredClone(values);
  forEachSecret(schema, masked, (holder, name) => {
    if (holder[name] !== undefined) holder[name] = MASK;
  });
  return masked;
}

function forEachSecret(
  schema: unknown,
  values: unknown,
  use: (holder: Values, name: string, path: string[]) => void,
  path: string[] = [],
): void {
  if (typeof values !== "object" || values === null) return;
  for (const [name, option] of Object.entries(shapeOf(schema) ?? {})) {
    if (option.meta()?.isSecret === true) use(values as Values, name, path);
    else forEachSecret(option, (values as Values)[name], use, [...path, name]);
  }
}
