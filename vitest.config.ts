import { defineConfig } from "vitest/config";

/** Room tests and end-to-end tests; the longer suites have their own script and pattern. */
export default defineConfig({
  test: {
    include: ["*/src/**/*.test.ts", "test/e2e/**/*.test.ts", "test/house/**/*.test.ts"],
    setupFiles: ["test/support/set-up.ts"],
    // Three at once on two cores: a start may take three seconds, and some tests make ten.
    testTimeout: 120_000,
    hookTimeout: 30_000,
    pool: "forks",
    // On two cores, too: many tests wait for a server to start or end.
    maxWorkers: 3,
    // Tests share no state but loaded modules, which take a tenth of the time to load again for each file.
    isolate: false,
  },
});
