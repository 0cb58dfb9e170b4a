import { defineConfig } from "vitest/config";

/** Room tests and end-to-end tests; the longer suites have their own script and pattern. */
export default defineConfig({
  test: {
    include: ["*/src/**/*.test.ts", "test/e2e/**/*.test.ts", "test/house/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
