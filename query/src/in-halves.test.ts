import { expect, it } from "vitest";
import { inHalves } from "./in-halves.js";

const TABLES = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];

it("asks about one table once, about more in two halves, and keeps their order", async () => {
  const asked: string[] = [];
  const ask = async (tables: readonly string[]) => {
    asked.push(tables.join(""));
    return [...tables];
  };
  expect(await inHalves(TABLES.slice(0, 1), ask)).toEqual(TABLES.slice(0, 1));
  expect(await inHalves(TABLES, ask)).toEqual(TABLES);
  expect(asked).toEqual(["a", "abcd", "efghi"]);
});

it("fails when both have ended, not before", async () => {
  let isSecondOver = false;
  const asking = inHalves(TABLES, async (tables) => {
    if (tables.includes("a")) throw new Error("the first failed");
    await new Promise((resolve) => setTimeout(resolve, 20));
    isSecondOver = true;
    return [];
  });
  await expect(asking).rejects.toThrow("the first failed");
  expect(isSecondOver).toBe(true);
});
