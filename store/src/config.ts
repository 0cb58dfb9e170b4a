import { z } from "zod";

/** The store's part of the configuration file. */
export const storeConfig = z.strictObject({
  /** Data directory. */
  data: z.string().min(1).default("./agent-audit-data"),
  engine: z
    .strictObject({
      /** MiB that DuckDB may use; default 25 % of RAM, at most 1 GiB. */
      memory_limit_mib: z.int().min(64).optional(),
      /** Threads of DuckDB; default all cores. */
      threads: z.int().min(1).optional(),
    })
    .prefault({}),
});
