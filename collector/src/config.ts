import { z } from "zod";

/** The receiver's part of the configuration file. */
export const collectorConfig = z.strictObject({
  otlp: z
    .strictObject({
      /** `HOST:PORT` of the OTLP listener. */
      listen: z.string().default("127.0.0.1:4318"),
      /** Limit of one body in bytes, before and after decompression. */
      max_body_bytes: z
        .int()
        .min(1024)
        .max(1024 ** 3)
        .default(64 * 1024 * 1024),
      /** Bytes of all bodies held at once, as received; beyond it requests get 503. */
      max_in_flight_bytes: z
        .int()
        .min(1024)
        .default(128 * 1024 * 1024),
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
