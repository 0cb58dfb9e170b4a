import { onTestFinished } from "vitest";

const atEnd: (() => unknown)[] = [];

/** Runs `action` when the test ends; called outside a test, when the file ends. */
export function cleanUp(action: () => unknown): void {
  try {
    onTestFinished(async () => {
      await action();
    });
  } catch {
    // There is no test to finish in a beforeAll hook.
    atEnd.push(action);
  }
}

/** Does what was left for the end of a file, the last first. */
export async function cleanUpFile(): Promise<void> {
  for (const action of atEnd.splice(0).reverse()) await action();
}
