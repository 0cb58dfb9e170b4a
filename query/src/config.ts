import { listenerConfig } from "@agent-audit/access";
import { z } from "zod";

/** The query API's part of the configuration file. */
export const queryConfig = z.strictObject({
  http: z.strictObject(listenerConfig("127.0.0.1:8318", 256)).prefault({}),
});
