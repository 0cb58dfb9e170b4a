import { defineConfig } from "vitest/config";

/** The long form of the fault tests; `npm test` runs short ones of the same. */
export default defineConfig({
  test: {
    include: ["test/fault/**/*.test.ts"],
    setupFiles: ["test/support/set-up.ts"],
    testTimeout: 4 * 3_600_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
