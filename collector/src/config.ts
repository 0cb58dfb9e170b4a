import { listenerConfig } from "@agent-audit/access";
import { z } from "zod";

/** Memory is taken in blocks of up to this size. */
const BLOCK_BYTES = 1024 * 1024;

const sizes = z.object({ max_body_bytes: z.int(), max_in_flight_bytes: z.int() });

/** The receiver's part of the configuration file. */
export const collectorConfig = z.strictObject({
  otlp: z
    .strictObject({
      ...listenerConfig("127.0.0.1:4318", 1024),
      /** Limit of one body in bytes, before and after decompression. JSON is read as one string, which has a limit, too. */
      max_body_bytes: z
        .int()
        .min(1024)
        .max(256 * 1024 * 1024)
        .default(64 * 1024 * 1024),
      /** Memory for all bodies that arrive or wait, as they come; beyond it requests get 503. */
      max_in_flight_bytes: z
        .int()
        .min(1024)
        .default(128 * 1024 * 1024),
    })
    .refine((otlp) => otlp.max_in_flight_bytes >= otlp.max_body_bytes + BLOCK_BYTES, {
      path: ["max_in_flight_bytes"],
      message: "must exceed max_body_bytes by 1 MiB, or the largest body would never find room",
      // Beside faults of other options too: all are listed at once.
      when: ({ value }) => sizes.safeParse(value).success,
    })
    .prefault({}),
  ingest: z
    .strictObject({
      /** Whether a body that comes again within ten minutes is taken for a retry where its records have no ids. */
      deduplicate_unidentified: z.enum(["request", "off"]).default("request"),
    })
    .prefault({}),
  quarantine: z
    .strictObject({
      /** Bytes of records set aside that are kept of one receive day; beyond it only their number is. */
      max_bytes_per_day: z
        .int()
        .min(0)
        .default(64 * 1024 * 1024),
    })
    .prefault({}),
});
