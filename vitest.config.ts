import { defineConfig } from "vitest/config";

/** Room tests and end-to-end tests; the longer suites have their own script and pattern. */
export default defineConfig({
  test: {
    include: ["*/src/**/*.test.ts", "test/e2e/**/*.test.ts", "test/house/**/*.test.ts"],
    // Two at once on two cores: a start may take three seconds, and some tests make ten.
    testTimeout: 120_000,
    hookTimeout: 30_000,
    pool: "forks",
    // Most tests wait for servers that they have started.
    maxWorkers: 2,
  },
});
