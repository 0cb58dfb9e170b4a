import { z } from "zod";

/** The store's part of the configuration file. */
export const storeConfig = z.strictObject({
  /** Data directory. */
  data: z.string().min(1).default("./agent-audit-data"),
  /** What must stay free of the disk: below it, ingest answers 503 until there is room again. The larger counts. */
  disk_guard: z
    .strictObject({
      min_free_bytes: z
        .int()
        .min(0)
        .default(512 * 1024 * 1024),
      min_free_percent: z.number().min(0).max(100).default(5),
    })
    .prefault({}),
  /** When a day's next segment begins; a day begins a new one in any case. */
  segments: z
    .strictObject({
      max_records: z.int().min(1).default(5_000_000),
      max_journal_bytes: z
        .int()
        .min(1024)
        .default(4 * 1024 ** 3),
    })
    .prefault({}),
  retention: z
    .strictObject({
      /** How long segments are kept after their receive day has ended, in days, such as `400d`. */
      keep: z
        .string()
        .regex(/^[1-9]\d{0,5}d$/, "is no number of days, such as 400d")
        .optional(),
    })
    .prefault({}),
  engine: z
    .strictObject({
      /** MiB that DuckDB may use; default 25 % of RAM, at most 1 GiB. */
      memory_limit_mib: z.int().min(64).optional(),
      /** Threads of DuckDB; default all cores. */
      threads: z.int().min(1).optional(),
    })
    .prefault({}),
});
