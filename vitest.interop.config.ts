import { defineConfig } from "vitest/config";

/** Tests against real peers; each part skips by name where its tool is not built. */
export default defineConfig({
  test: {
    include: ["test/interop/**/*.test.ts"],
    setupFiles: ["test/support/set-up.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
