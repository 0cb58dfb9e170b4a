import { afterAll, onTestFinished } from "vitest";

const atEnd: (() => unknown)[] = [];

afterAll(async () => {
  for (const action of atEnd.reverse()) await action();
});

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
